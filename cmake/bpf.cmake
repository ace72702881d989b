# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
# filterd_bpf_object(NAME source): compiles one BPF object with clang into the build tree.
find_program(FILTERD_BPF_CLANG NAMES clang REQUIRED)
find_program(FILTERD_BPF_STRIP NAMES llvm-strip llvm-strip-14 llvm-strip-19 REQUIRED)
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-multiarch
                OUTPUT_VARIABLE FILTERD_MULTIARCH OUTPUT_STRIP_TRAILING_WHITESPACE)
string(REGEX MATCH "x86|aarch64|arm64" FILTERD_BPF_ARCH "${CMAKE_SYSTEM_PROCESSOR}")
if(FILTERD_BPF_ARCH STREQUAL "aarch64")
    set(FILTERD_BPF_ARCH arm64)
endif()

# filterd_bpf_object(target output source [extra compiler flags…])
function(filterd_bpf_object target output source)
    add_custom_command(
        OUTPUT ${output}
        COMMAND ${FILTERD_BPF_CLANG} -g -O2 -Wall -Wextra -Werror -target bpf -D__TARGET_ARCH_${FILTERD_BPF_ARCH}
                -idirafter /usr/include/${FILTERD_MULTIARCH} -I${CMAKE_SOURCE_DIR}/bpf ${ARGN}
                -MD -MF ${output}.d -c ${source} -o ${output}
        COMMAND ${FILTERD_BPF_STRIP} -g ${output}
        DEPENDS ${source} DEPFILE ${output}.d
        COMMENT "BPF ${target}" VERBATIM)
    add_custom_target(${target} ALL DEPENDS ${output})
endfunction()
