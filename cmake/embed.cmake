# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
# filterd_embed(TARGET NAMESPACE FUNCTION HEADER FILE [DEPENDS target…]): the bytes of FILE within TARGET, as
# std::span<const std::byte> NAMESPACE::FUNCTION(), which HEADER declares.
set(FILTERD_EMBED_TEMPLATE ${CMAKE_CURRENT_LIST_DIR}/embed.cpp.in)
function(filterd_embed target namespace function header file)
    cmake_parse_arguments(EMBED "" "" "DEPENDS" ${ARGN})
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
    configure_file(${FILTERD_EMBED_TEMPLATE} ${source} @ONLY)
    set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${file})
    target_sources(${target} PRIVATE ${source})
    if(EMBED_DEPENDS)
        add_dependencies(${target} ${EMBED_DEPENDS})
    endif()
endfunction()
