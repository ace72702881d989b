# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
# The guard's torture. The broken builds are there to see that it notices: each must leak.
set(guard_objects ${CMAKE_CURRENT_BINARY_DIR}/guard-objects)
file(MAKE_DIRECTORY ${guard_objects})

set(guard_test_objects)
function(guard_test_object name source)
    filterd_bpf_object(filterd-test-${name} ${guard_objects}/${name}.bpf.o ${source} ${ARGN})
    set(guard_test_objects ${guard_test_objects} filterd-test-${name} PARENT_SCOPE)
endfunction()

set(guard_source ${CMAKE_SOURCE_DIR}/bpf/guard.bpf.c)
guard_test_object(guard_filters ${CMAKE_CURRENT_SOURCE_DIR}/guard_filters.bpf.c)
guard_test_object(guard_other_build ${guard_source} -mcpu=v3 -DGUARD_RULES_TRIES=3)
guard_test_object(guard_small ${guard_source} -mcpu=v3 -DGUARD_HELD_MAX=8 -DGUARD_MANAGER_HELD_MAX=4)
guard_test_object(guard_refused ${CMAKE_CURRENT_SOURCE_DIR}/filter_corpus.bpf.c -DCASE=CASE_REFUSED)
guard_test_object(guard_no_hold ${guard_source} -mcpu=v3 -DBROKEN=BROKEN_NO_HOLD)
guard_test_object(guard_first_level ${guard_source} -mcpu=v3 -DBROKEN=BROKEN_FIRST_LEVEL_ONLY)
guard_test_object(guard_no_spill ${guard_source} -mcpu=v3 -DBROKEN=BROKEN_NO_SPILL -DGUARD_HELD_MAX=8)
guard_test_object(guard_any_parent ${guard_source} -mcpu=v3 -DBROKEN=BROKEN_ANY_PARENT)

file(GLOB guard_sources CONFIGURE_DEPENDS guard_*.cpp)
add_executable(filterd-guard-tests main.cpp kill_at_step.cpp ${guard_sources})
target_link_libraries(filterd-guard-tests PRIVATE
    filterd_guard filterd_bpf_inside filterd_host filterd_bpf_intake PkgConfig::LIBBPF GTest::gtest)
target_compile_definitions(filterd-guard-tests PRIVATE GUARD_TEST_OBJECTS="${guard_objects}")
filterd_options(filterd-guard-tests)
add_dependencies(filterd-guard-tests ${guard_test_objects})

foreach(suite Lifecycle Names Depth States Handover Overflow Share Torture Broken Kill)
    kernel_test(guard.${suite} filterd-guard-tests Guard${suite}.*)
endforeach()
