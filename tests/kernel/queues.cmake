# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
# Objects, queues and links.
set(queue_objects ${CMAKE_CURRENT_BINARY_DIR}/queue-objects)
file(MAKE_DIRECTORY ${queue_objects})

set(queue_test_objects)
function(queue_test_object name source)
    filterd_bpf_object(filterd-test-${name} ${queue_objects}/${name}.bpf.o ${CMAKE_CURRENT_SOURCE_DIR}/${source} ${ARGN})
    set(queue_test_objects ${queue_test_objects} filterd-test-${name} PARENT_SCOPE)
endfunction()

queue_test_object(queue_filters queue_filters.bpf.c)
foreach(case legacy_section own_section no_section global_data ring_buffer core tail_call functions map_in_map
             pinned_map storage other_license wrong_type refused printk socket_storage socket sections_of_data
             legacy_maps no_kfunc bad_map refused_target)
    string(TOUPPER CASE_${case} macro)
    queue_test_object(${case} filter_corpus.bpf.c -DCASE=${macro})
endforeach()
queue_test_object(tail_call_egress filter_corpus.bpf.c -DCASE=CASE_TAIL_CALL -DSECTION=SEC\(\"cgroup_skb/egress\"\))

add_executable(filterd-queue-tests main.cpp queue_bed.cpp drop_record_test.cpp filter_test.cpp link_test.cpp pinned_state_test.cpp
                                   queue_drops_test.cpp queue_flood_test.cpp
                                   queue_interim_test.cpp queue_test.cpp)
target_include_directories(filterd-queue-tests PRIVATE ${CMAKE_SOURCE_DIR}/tests)
target_link_libraries(filterd-queue-tests PRIVATE
    filterd_app filterd_bpf_headers filterd_bpf_inside filterd_bpf_intake filterd_host PkgConfig::LIBBPF GTest::gtest)
target_compile_definitions(filterd-queue-tests PRIVATE QUEUE_TEST_OBJECTS="${queue_objects}")
filterd_options(filterd-queue-tests)
add_dependencies(filterd-queue-tests ${queue_test_objects})

kernel_test(filters filterd-queue-tests Filters.*:*/FilterCorpus.*:*/FilterRefusal.*)
kernel_test(queues filterd-queue-tests Queues.*:Changes.*:WholeFirewall.*:Interim.*)
kernel_test(drops filterd-queue-tests Drops.*:DropRecords.*:*/ReportedPacket.*)
kernel_test(links filterd-queue-tests Attachments.*:DamagedRecords.*:Killed.*:PinnedStates.*)
