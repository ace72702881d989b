# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
# Every BPF program of ours, before this kernel's verifier.
set(FILTERD_TEMPLATE_OBJECT ${CMAKE_CURRENT_BINARY_DIR}/template.bpf.o)
filterd_bpf_object(filterd-test-template ${FILTERD_TEMPLATE_OBJECT} ${CMAKE_SOURCE_DIR}/bpf/template.bpf.c)
add_executable(filterd-loads-tests main.cpp loads_test.cpp)
target_link_libraries(filterd-loads-tests PRIVATE
    filterd_bpf_inside filterd_bpf_intake filterd_pcap filterd_host PkgConfig::LIBBPF GTest::gtest)
target_compile_definitions(filterd-loads-tests PRIVATE
    CATALOGUE="${FILTERD_CATALOGUE_DIR}" GUARD_OBJECT="${FILTERD_GUARD_OBJECT}" DROPS_OBJECT="${FILTERD_DROPS_OBJECT}"
    TEMPLATE_OBJECT="${FILTERD_TEMPLATE_OBJECT}" REFUSED_OBJECT="${queue_objects}/refused.bpf.o")
filterd_options(filterd-loads-tests)
add_dependencies(filterd-loads-tests
    filterd-catalogue filterd-guard-object filterd-drops-object filterd-test-template filterd-test-refused)
kernel_test(loads filterd-loads-tests "*")
