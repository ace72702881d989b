// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/queues/queue_contents.hpp"

#include <nlohmann/json.hpp>

namespace filterd::bpf {

namespace {

using nlohmann::json;

tl::unexpected<Error> damaged() {
    return failure(ErrorCode::BadConfiguration, "what it is made of is not known");
}

} // namespace

std::string encodeQueue(const Queue& queue) {
    json filters = json::array();
    for (const auto& filter : queue.filters)
        filters.push_back({{"name", filter.name.text()}, {"digest", filter.digest}});
    return json{{"direction", queue.direction}, {"filters", filters},        {"hold", queue.hold},
                {"fallback", queue.fallback},   {"log_only", queue.logOnly}, {"logged", queue.logged}}
        .dump();
}

Result<Queue> decodeQueue(const std::string& text, const QueueId& id) {
    try {
        const json data = json::parse(text);
        Queue queue{data.at("direction").get<Direction>(), {},
                    data.at("hold").get<bool>(),           data.at("fallback").get<Fallback>(),
                    data.value("log_only", false),         data.value("logged", std::size_t{0})};
        for (const auto& filter : data.at("filters")) {
            const auto name = FilterName::parse(filter.at("name").get<std::string>());
            if (!name)
                return damaged();
            queue.filters.push_back({*name, filter.at("digest").get<std::string>()});
        }
        if (idOf(queue) != id)
            return damaged();
        return queue;
    } catch (const json::exception&) {
        return damaged();
    }
}

} // namespace filterd::bpf
