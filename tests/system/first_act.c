// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// first-act BLOCKED PERMITTED: a service whose first act is a datagram to either port of 127.0.0.1. Ends well
// if the blocked one was refused and the permitted one was sent.
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static int send_to(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sendto(fd, "x", 1, 0, (struct sockaddr*)&address, sizeof(address)) == 1 ? 0 : errno;
}

int main(int argc, char** argv) {
    if (argc != 3)
        return 2;
    int blocked = send_to(atoi(argv[1]));
    int permitted = send_to(atoi(argv[2]));

    return blocked == EPERM && permitted == 0 ? 0 : 1;
}
