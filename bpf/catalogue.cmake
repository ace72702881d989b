# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
# The catalogue: filters for everyone, each bpf/NAME.bpf.c installed as /usr/lib/filterd/bpf/NAME.bpf.o.
# They include uapi headers only: an object with CO-RE relocations makes libbpf parse the kernel's types at every load.
set(FILTERD_CATALOGUE
    cidr
    count
    dns
    drop
    established
    http-path
    mark
    mtu
    pass
    port
    rate)

set(FILTERD_CATALOGUE_DIR ${CMAKE_CURRENT_BINARY_DIR}/catalogue)
file(MAKE_DIRECTORY ${FILTERD_CATALOGUE_DIR})
add_custom_target(filterd-catalogue)
foreach(name IN LISTS FILTERD_CATALOGUE)
    filterd_bpf_object(filterd-catalogue-${name} ${FILTERD_CATALOGUE_DIR}/${name}.bpf.o
                       ${CMAKE_CURRENT_SOURCE_DIR}/${name}.bpf.c -mcpu=v3)
    add_dependencies(filterd-catalogue filterd-catalogue-${name})
    install(FILES ${FILTERD_CATALOGUE_DIR}/${name}.bpf.o DESTINATION lib/filterd/bpf)
endforeach()
set(FILTERD_CATALOGUE_DIR ${FILTERD_CATALOGUE_DIR} CACHE INTERNAL "the compiled catalogue")

# What filters of others may use, too, as <filterd/bpf/packet.h>.
install(FILES packet.h types.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/filterd/bpf)
