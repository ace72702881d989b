// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/values/global_memory.hpp"

#include "kernel/bpf_calls.hpp"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace filterd::bpf {

namespace {

class Mapping {
  public:
    Mapping(int map, std::size_t size)
        : size_(size), memory_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0)) {}
    ~Mapping() {
        if (memory_ != MAP_FAILED)
            ::munmap(memory_, size_);
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    [[nodiscard]] std::byte* get() const {
        return memory_ == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory_);
    }

  private:
    std::size_t size_;
    void* memory_;
};

template<typename Word>
void storeWord(std::byte* target, const std::byte* source) {
    Word word{};
    std::memcpy(&word, source, sizeof word);
    __atomic_store_n(reinterpret_cast<Word*>(target), word, __ATOMIC_RELAXED);
}

template<typename Word>
bool fits(const std::byte* target, std::size_t left) {
    return left >= sizeof(Word) && reinterpret_cast<std::uintptr_t>(target) % sizeof(Word) == 0;
}

// The largest aligned words there are.
void store(std::byte* target, const Bytes& value) {
    for (std::size_t done = 0; done < value.size();) {
        auto* to = target + done;
        const auto* from = value.data() + done;
        const auto left = value.size() - done;
        if (fits<std::uint64_t>(to, left)) {
            storeWord<std::uint64_t>(to, from);
            done += sizeof(std::uint64_t);
        } else if (fits<std::uint32_t>(to, left)) {
            storeWord<std::uint32_t>(to, from);
            done += sizeof(std::uint32_t);
        } else if (fits<std::uint16_t>(to, left)) {
            storeWord<std::uint16_t>(to, from);
            done += sizeof(std::uint16_t);
        } else {
            storeWord<std::uint8_t>(to, from);
            done += sizeof(std::uint8_t);
        }
    }
}

Result<std::size_t> sizeOfGlobals(int map, std::size_t offset, std::size_t size) {
    const auto info = mapInfo(map);
    if (!info)
        return failure(info.error());
    if (info->type != BPF_MAP_TYPE_ARRAY || offset + size > info->value_size)
        return failure(ErrorCode::Internal, "a parameter lies outside its map");
    return std::size_t{info->value_size};
}

} // namespace

Result<Bytes> readGlobals(int map, std::size_t offset, std::size_t size) {
    const auto all = sizeOfGlobals(map, offset, size);
    if (!all)
        return failure(all.error());
    Bytes values(*all);
    const std::uint32_t only = 0;
    if (::bpf_map_lookup_elem(map, &only, values.data()) < 0)
        return failure(systemError("read the globals", errno));
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(offset);
    return Bytes(first, first + static_cast<std::ptrdiff_t>(size));
}

Status writeGlobals(int map, std::size_t offset, const Bytes& value) {
    const auto all = sizeOfGlobals(map, offset, value.size());
    if (!all)
        return failure(all.error());
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const Mapping memory(map, (*all + page - 1) / page * page);
    if (memory.get() == nullptr)
        return failure(systemError("reach the globals", errno));
    store(memory.get() + offset, value);
    return {};
}

} // namespace filterd::bpf
