# Packet rules on the running kernel.
add_executable(filterd-rules-tests rules_test.cpp packet_generator.cpp packet_model.cpp libpcap_filter.cpp)
target_link_libraries(filterd-rules-tests PRIVATE filterd_pcap PkgConfig::LIBPCAP PkgConfig::LIBBPF
                                                  GTest::gtest_main)
filterd_options(filterd-rules-tests)
kernel_test(rules filterd-rules-tests "*")
