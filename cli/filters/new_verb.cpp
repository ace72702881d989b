// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// new: a filter to begin with, in C.

#include "base/unique_fd.hpp"
#include "cli/filters/template.hpp"
#include "cli/filters/verbs.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verb/failure.hpp"
#include "core/model/names.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace filterd::cli {

namespace {

// The names that the template has for itself, as a filter and as a function.
constexpr std::string_view kName = "my-filter";
constexpr std::string_view kFunction = "my_filter";
constexpr std::string_view kCompile = "@COMPILE@";

std::string compileCommand(const std::string& name) {
    return "clang -g -O2 -Wall -target bpf -idirafter /usr/include/$(uname -m)-linux-gnu -c " + name +
           ".bpf.c -o " + name + ".bpf.o";
}

// A filter's name may hold what no name in C does, and be a keyword, or what something else there is called.
std::string identifier(const std::string& name) {
    constexpr std::string_view kKind = "filter";
    std::string result = name;
    std::replace_if(
        result.begin(), result.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    if (std::isdigit(static_cast<unsigned char>(result.front())) != 0)
        result.insert(0, "_");
    return result.ends_with(kKind) ? result : result + "_" + std::string(kKind);
}

void replaceAll(std::string& text, std::string_view from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

std::string sourceOf(const std::string& name) {
    const auto source = filterTemplate();
    std::string text(reinterpret_cast<const char*>(source.data()), source.size());
    replaceAll(text, kFunction, identifier(name));
    replaceAll(text, kCompile, compileCommand(name));
    replaceAll(text, kName, name);
    return text;
}

Exit refuse(const std::string& what, int error) {
    complain(what + ": " + std::strerror(error));
    return Exit::Failed;
}

// Never over a file that is there.
Exit write(const std::string& path, const std::string& text) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file)
        return refuse("cannot write " + path, errno);
    const auto written = ::write(file.get(), text.data(), text.size());
    if (written == static_cast<ssize_t>(text.size()))
        return Exit::Ok;
    const int error = written < 0 ? errno : ENOSPC;
    ::unlink(path.c_str());
    return refuse("cannot write " + path, error);
}

Exit create(const std::string& name) {
    if (const auto valid = FilterName::parse(name); !valid)
        return misused(valid.error().message);
    if (name.starts_with('-'))
        return misused("'" + name + "' begins with -, which the compiler takes for an option");
    const auto path = name + ".bpf.c";
    if (const auto written = write(path, sourceOf(name)); written != Exit::Ok)
        return written;
    print("wrote " + path + "; compile and load it with\n\n  " + compileCommand(name) +
          "\n  filterctl load " + name + " " + name + ".bpf.o\n");
    return Exit::Ok;
}

} // namespace

void addNewVerb(CLI::App& app, Invocation& invocation) {
    auto name = std::make_shared<std::string>();
    auto* verb = app.add_subcommand("new", "Write the source of a filter of your own, to begin with");
    verb->add_option("NAME", *name, "The filter's name; NAME.bpf.c is written")->required();
    verb->callback([name, &invocation] { invocation.action = [name] { return create(*name); }; });
}

} // namespace filterd::cli
