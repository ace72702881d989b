# Headers that the kernel side and the daemon share: #include "bpf/glob.h".
filterd_room(filterd_bpf_headers PREFIX bpf)
