# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
# Packet rules on the running kernel.
add_executable(filterd-rules-tests rules_test.cpp rule_lists_test.cpp expressions_test.cpp loaded_rules.cpp
                                   packet_generator.cpp packet_model.cpp libpcap_filter.cpp)
target_compile_definitions(filterd-rules-tests
                           PRIVATE FILTERD_EXPRESSIONS="${CMAKE_CURRENT_SOURCE_DIR}/expressions"
                                   FILTERD_CAPTURES="${CMAKE_CURRENT_SOURCE_DIR}/captures")
target_link_libraries(filterd-rules-tests PRIVATE filterd_pcap PkgConfig::LIBPCAP PkgConfig::LIBBPF
                                                  GTest::gtest_main)
filterd_options(filterd-rules-tests)
kernel_test(rules filterd-rules-tests "Rules.*")
kernel_test(rule-lists filterd-rules-tests "*RuleList*")
kernel_test(expressions filterd-rules-tests "*Expression*")
