# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
# The catalogue's filters on the running kernel.
add_executable(filterd-catalogue-tests catalogue_test.cpp carried_packets_test.cpp carriers.cpp streams_test.cpp catalogue_model.cpp
                                       conversations_test.cpp conversation_sockets_test.cpp rate_test.cpp unit_sockets.cpp
                                       catalogue_expressions.cpp loaded_filter.cpp libpcap_filter.cpp
                                       packet_generator.cpp memory_limit.cpp)
target_link_libraries(filterd-catalogue-tests PRIVATE filterd_bpf_intake filterd_bpf_inside
                                                      PkgConfig::LIBPCAP PkgConfig::LIBBPF GTest::gtest_main)
target_compile_definitions(filterd-catalogue-tests PRIVATE CATALOGUE="${FILTERD_CATALOGUE_DIR}")
filterd_options(filterd-catalogue-tests)
kernel_test(catalogue filterd-catalogue-tests "*")
