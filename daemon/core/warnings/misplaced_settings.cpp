// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/warnings/misplaced_settings.hpp"

#include "core/model/glob.hpp"
#include "core/model/names.hpp"
#include "core/model/unit_name.hpp"
#include "core/syntax/unit_file.hpp"
#include "core/units/known_units.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace filterd {

namespace {

constexpr std::string_view kOurSection = "X-Filterd";
constexpr std::array<std::string_view, 4> kOurKeys{"IngressFilter", "EgressFilter", "FallbackPolicy",
                                                   "LogOnly"};
constexpr std::string_view kWhitespace = " \t\r";

std::string lowered(std::string_view text) {
    std::string result;
    for (const char c : text)
        if (std::isalnum(static_cast<unsigned char>(c)) != 0)
            result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

std::string_view strip(std::string_view text) {
    const auto first = text.find_first_not_of(kWhitespace);
    return first == std::string_view::npos
               ? std::string_view()
               : text.substr(first, text.find_last_not_of(kWhitespace) - first + 1);
}

// "x-filterd", "Filterd", "X-Fliterd", "X-Queue" and the like, but not "X-Filterd-Notes" or another one's.
bool isNearlyOurs(std::string_view section) {
    constexpr std::size_t kMost = 20;
    if (section.size() > kMost || section == kOurSection)
        return false;
    const auto letters = lowered(section);
    return letters == "filterd" || letters == "filter" || letters == "xqueue" || letters == "queue" ||
           nearestName(letters, {"xfilterd"}).has_value();
}

// "X-Firewall", "X-Net": another one's, unless our keys stand there. Who renames a section to switch it off
// does not call it so.
bool isAboutPackets(std::string_view section) {
    constexpr std::array<std::string_view, 8> kWords{"fire",   "filter", "bpf",   "net",
                                                     "packet", "queue",  "gress", "fw"};
    const auto letters = lowered(section);
    return section.starts_with("X-") && letters.find("filterd") == std::string::npos &&
           std::any_of(kWords.begin(), kWords.end(),
                       [&](std::string_view word) { return letters.find(word) != std::string::npos; });
}

// The key of ours that it is, but for the case of its letters and, of the long ones, a letter or two.
std::optional<std::string_view> keyMeant(std::string_view key) {
    constexpr std::size_t kMost = 20;
    if (key.size() > kMost)
        return std::nullopt;
    const auto letters = lowered(key);
    const auto nearest = nearestName(letters, {"ingressfilter", "egressfilter"});
    for (const auto known : kOurKeys)
        if (const auto name = lowered(known); letters == name || nearest == name)
            return known;
    return std::nullopt;
}

// Goes through the lines as systemd does: comments are left out, continued lines are no lines of their own.
template<class Line>
void forEachLine(std::string_view text, Line line) {
    bool isContinued = false;
    text = withoutByteOrderMark(text);
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const auto whole = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        const auto content = strip(whole);
        if (content.starts_with('#') || content.starts_with(';'))
            continue;
        if (!isContinued && !content.empty())
            line(number, content);
        const auto last = content.find_last_not_of('\\');
        isContinued = content.ends_with('\\') &&
                      (content.size() - (last == std::string_view::npos ? 0 : last + 1)) % 2 == 1;
    }
}

struct Header {
    std::string_view name;
    bool isClosed = false;
};

std::optional<Header> headerOf(std::string_view line) {
    if (!line.starts_with('['))
        return std::nullopt;
    const auto end = line.find(']');
    return Header{line.substr(1, end == std::string_view::npos ? end : end - 1), line.ends_with(']')};
}

class MisplacedReader {
  public:
    explicit MisplacedReader(const ConfigText& file) : file_(file) {}

    std::vector<std::string> read() {
        forEachLine(file_.text, [this](std::size_t number, std::string_view line) {
            if (const auto header = headerOf(line))
                readHeader(number, *header);
            else
                readKey(number, line);
        });
        return std::move(told_);
    }

  private:
    void tell(std::size_t line, const std::string& what) {
        told_.push_back(fileError(file_.path, line, what).message);
    }

    void readHeader(std::size_t number, const Header& header) {
        section_ = header.name;
        if (isNearlyOurs(strip(header.name)) ||
            (header.name != kOurSection && strip(header.name) == kOurSection))
            tell(number,
                 "section [" + std::string(header.name) + "] is not read by filterd: write [X-Filterd]");
        else if (header.name == kOurSection && !header.isClosed)
            tell(number, "the header of a section that is not closed is read by nobody: write [X-Filterd]");
    }

    void readKey(std::size_t number, std::string_view line) {
        const auto key = strip(line.substr(0, line.find('=')));
        if (line.find('=') == std::string_view::npos ||
            (section_ && section_->starts_with("X-") && !isAboutPackets(*section_)) ||
            (section_ && isNearlyOurs(strip(*section_))))
            return;
        const auto meant = keyMeant(key);
        if (!meant)
            return;
        tell(number, std::string(key) + "= " +
                         (section_ ? "in [" + std::string(*section_) + "]" : "before the first section") +
                         " is read by nobody: write " + (key == *meant ? "it" : std::string(*meant) + "=") +
                         " below [X-Filterd]");
    }

    const ConfigText& file_;
    std::optional<std::string_view> section_;
    std::vector<std::string> told_;
};

bool hasSection(std::string_view text, bool (*isMeant)(std::string_view section)) {
    bool has = false;
    forEachLine(text, [&](std::size_t /*number*/, std::string_view line) {
        const auto header = headerOf(line);
        has = has || (header && isMeant(strip(header->name)));
    });
    return has;
}

} // namespace

std::vector<std::string> misplacedSettings(const ConfigText& file) { return MisplacedReader(file).read(); }

std::vector<std::string> impossibleDemands(const std::string& unit, const std::vector<ConfigText>& files) {
    std::vector<std::string> told;
    const auto own = UnitName::parse(unit);
    for (const auto& file : files)
        for (const auto& entry : readableParts(file.path, file.text).entries)
            for (const auto& name : words(entry.value))
                if (own && entry.section == "Unit" && entry.key != "After" && entry.key != "Before" &&
                    name.starts_with(kEnsurePrefix) && withoutSpecifiers(name, *own).size() > kUnitNameMax)
                    told.push_back(
                        fileError(file.path, entry.line,
                                  entry.key +
                                      "= is ignored by systemd, since the name of the unit is too long "
                                      "for a filterd-ensure@.service: see filterd(8) for another way")
                            .message);
    return told;
}

bool isMeantForUnits(std::string_view text) {
    return hasSection(text, [](std::string_view section) {
        return section == kOurSection || (isNearlyOurs(section) && section.starts_with("X-"));
    });
}

bool isMeantForFilterd(std::string_view text) {
    return hasSection(text,
                      [](std::string_view section) { return section == "Queue" || section == "Filter"; });
}

bool isLeftBehind(std::string_view name) {
    constexpr std::array<std::string_view, 12> kEndings{".bak",     ".old",     ".orig",     ".save",
                                                        ".swp",     ".swo",     ".tmp",      ".rej",
                                                        ".rpmsave", ".rpmorig", ".disabled", ".example"};
    return name.starts_with('.') || name.starts_with('#') || name.ends_with('~') ||
           name.find(".dpkg-") != std::string_view::npos || name.find(".ucf-") != std::string_view::npos ||
           name.find(".rpmnew") != std::string_view::npos ||
           std::any_of(kEndings.begin(), kEndings.end(),
                       [&](std::string_view ending) { return name.ends_with(ending); });
}

std::string nameMeant(std::string_view name) {
    constexpr std::array<std::string_view, 7> kCopies{"~", ".bak", ".old", ".orig", ".save", ".tmp", ".rej"};
    if (name.starts_with(".#"))
        return {}; // what Emacs and systemctl have while they edit
    if (name.starts_with('.'))
        return std::string(name.substr(1));
    for (const auto copy : kCopies)
        if (name.ends_with(copy))
            return std::string(name.substr(0, name.size() - copy.size()));
    return {};
}

std::string nearlySuffix(std::string_view name) {
    constexpr std::size_t kLongest = 8;
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos || name.size() - dot > kLongest + 1)
        return {};
    const auto ending = name.substr(dot + 1);
    if (ending == "queue" || ending == "filter")
        return {};
    const auto nearest = nearestName(lowered(ending), {"queue", "filter"});
    const bool isShort = lowered(ending) == "que" || lowered(ending) == "q" || lowered(ending) == "fil";
    return nearest ? "." + *nearest : isShort ? (lowered(ending) == "fil" ? ".filter" : ".queue") : "";
}

std::string unitMeant(const std::string& name, const std::set<std::string>& known) {
    for (const auto* type : {".service", ".socket", ".slice", ".mount", ".scope"})
        if (known.contains(name + type))
            return name + type;
    auto stem = name.substr(0, name.rfind('.')); // "nginx" of "nginx.servce"
    if (known.contains(stem))
        return stem;
    for (const auto* type : {".service", ".socket", ".slice", ".mount", ".scope"})
        if (known.contains(stem + type) &&
            (name.starts_with(stem + type) || nearestName(name, {stem + type})))
            return stem + type;
    return nearestName(name, known).value_or(std::string());
}

} // namespace filterd
