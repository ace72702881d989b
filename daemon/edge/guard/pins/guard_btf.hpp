#pragma once
// What the guard needs to know of the kernel's types.

#include "base/result.hpp"

namespace filterd {

// Whether the kernel describes its types. Needs no libbpf.
[[nodiscard]] Status kernelTypes();

} // namespace filterd
