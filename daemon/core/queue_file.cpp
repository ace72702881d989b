#include "core/queue_file.hpp"

#include "core/glob.hpp"

#include <string_view>

namespace filterd {

namespace {

constexpr std::string_view kWhitespace = " \t\r\n";

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> found;
    for (;;) {
        const auto begin = text.find_first_not_of(kWhitespace);
        if (begin == std::string_view::npos)
            return found;
        const auto end = text.find_first_of(kWhitespace, begin);
        found.emplace_back(text.substr(begin, end - begin));
        if (end == std::string_view::npos)
            return found;
        text.remove_prefix(end);
    }
}

// What passes checkPattern() may still be a glob that the kernel's matcher cannot hold.
Status checkTarget(const std::string& target) {
    if (auto checked = checkPattern(target); !checked)
        return checked;
    if (isUnitName(target) || target.starts_with('/'))
        return {};
    if (const auto glob = Glob::compile(target); !glob)
        return failure(glob.error());
    return {};
}

// Applies assignments one after the other, as systemd does: lists grow, an empty assignment resets.
class QueueReader {
  public:
    explicit QueueReader(const ConfigText& main)
        : unmatched_(
              fileError(main.path, 1, "no Unit= below [Match], name the units or globs that it is for")) {
        rule_.source = main.path;
    }

    Status read(const ConfigText& file) {
        path_ = file.path;
        const auto parsed = parseUnitFile(file.path, file.text);
        if (!parsed)
            return failure(parsed.error());
        for (const auto& section : parsed->sections)
            if (section.name != "Match" && section.name != "Queue")
                return bad(section.line, "unknown section [" + section.name +
                                             "], use [Match] and [Queue], or [X-" + section.name +
                                             "] for what filterd shall ignore");
        for (const auto& entry : parsed->entries)
            if (auto applied = isForeign(entry.key) ? Status{} : apply(entry); !applied)
                return applied;
        return {};
    }

    Result<Rule> finish() {
        if (rule_.targets.empty())
            return failure(unmatched_);
        return std::move(rule_);
    }

  private:
    Status apply(const UnitFileEntry& entry) {
        if (entry.section == "Match" && entry.key == "Unit")
            return applyUnits(entry);
        if (entry.section == "Queue" && entry.key == "IngressFilter")
            return applyFilters(entry, rule_.ingress);
        if (entry.section == "Queue" && entry.key == "EgressFilter")
            return applyFilters(entry, rule_.egress);
        if (entry.section == "Queue" && entry.key == "OnFailure")
            return applyOnFailure(entry);
        return bad(
            entry.line,
            "unknown key " + entry.key + "= in [" + entry.section + "], " +
                (entry.section == "Match" ? "use Unit=" : "use IngressFilter=, EgressFilter= or OnFailure="));
    }

    Status applyUnits(const UnitFileEntry& entry) {
        if (entry.value.empty()) {
            rule_.targets.clear();
            unmatched_ = fileError(path_, entry.line, "Unit= takes back every unit, name one after it");
            return {};
        }
        for (auto& target : words(entry.value)) {
            if (const auto checked = checkTarget(target); !checked)
                return bad(entry.line, "Unit=: " + checked.error().message);
            rule_.targets.push_back(std::move(target));
        }
        return {};
    }

    Status applyFilters(const UnitFileEntry& entry, std::vector<FilterName>& filters) {
        if (entry.value.empty())
            filters.clear();
        for (const auto& word : words(entry.value)) {
            auto name = FilterName::parse(word);
            if (!name)
                return bad(entry.line, entry.key + "=: " + name.error().message);
            filters.push_back(std::move(*name));
        }
        return {};
    }

    Status applyOnFailure(const UnitFileEntry& entry) {
        if (entry.value.empty() || entry.value == "hold")
            rule_.onFailure = OnFailure::Hold;
        else if (entry.value == "pass")
            rule_.onFailure = OnFailure::Pass;
        else
            return bad(entry.line, "OnFailure= is neither 'hold' nor 'pass', write one of them");
        return {};
    }

    [[nodiscard]] Status bad(std::size_t line, const std::string& what) const {
        return failure(fileError(path_, line, what));
    }

    Rule rule_;
    Error unmatched_; // the error if no unit is left at the end
    std::string path_;
};

} // namespace

Result<Rule> parseQueueFile(const std::vector<ConfigText>& files) {
    if (files.empty())
        return failure(ErrorCode::Internal, "a rule needs a file");
    QueueReader reader(files.front());
    for (const auto& file : files)
        if (auto read = reader.read(file); !read)
            return tl::unexpected(read.error());
    return reader.finish();
}

} // namespace filterd
