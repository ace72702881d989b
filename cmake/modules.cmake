# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
# The house: base <- core <- app <- {edge, service} <- main.
#
# Every folder is a module: one target, with an include root of its own that has the headers of that folder and of no
# folder below it. It sees only the modules it links to: a forbidden #include does not build, which the test "walls"
# tries.

function(filterd_options target)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ${FILTERD_UNITY} UNITY_BUILD_BATCH_SIZE 8)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor)
    if(FILTERD_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
    if(FILTERD_SANITIZE)
        target_compile_options(${target} PUBLIC -fsanitize=address,undefined -fno-omit-frame-pointer
                                                -fno-sanitize-recover=all)
        target_link_options(${target} PUBLIC -fsanitize=address,undefined)
    endif()
endfunction()

# filterd_module(NAME [LINKS …] [PRIVATE_LINKS …]): the sources of this folder. An #include names a header by its path from
# daemon/, or from the top where the folder is not below it.
function(filterd_module target)
    cmake_parse_arguments(MODULE "" "" "LINKS;PRIVATE_LINKS" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS *.cpp)
    list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
    filterd_include_root(root)
    if(sources)
        add_library(${target} STATIC ${sources})
        target_include_directories(${target} PUBLIC ${root})
        target_link_libraries(${target} PUBLIC ${MODULE_LINKS} PRIVATE ${MODULE_PRIVATE_LINKS})
        filterd_options(${target})
        if(FILTERD_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang") # the fuzzers see how far they come
            target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
        endif()
    else()
        add_library(${target} INTERFACE)
        target_include_directories(${target} INTERFACE ${root})
        target_link_libraries(${target} INTERFACE ${MODULE_LINKS})
    endif()
endfunction()

# A folder in the build tree with links to this folder's headers, and to nothing else.
function(filterd_include_root result)
    file(RELATIVE_PATH prefix ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
    string(REGEX REPLACE "^daemon/" "" prefix ${prefix})
    string(REPLACE "/" "-" name ${prefix})
    set(root ${CMAKE_BINARY_DIR}/modules/${name})
    file(REMOVE_RECURSE ${root})
    file(MAKE_DIRECTORY ${root}/${prefix})
    file(GLOB headers CONFIGURE_DEPENDS *.hpp *.h *.def)
    foreach(header ${headers})
        cmake_path(GET header FILENAME file)
        file(CREATE_LINK ${header} ${root}/${prefix}/${file} SYMBOLIC)
    endforeach()
    set(${result} ${root} PARENT_SCOPE)
endfunction()
