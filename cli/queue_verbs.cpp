// queue

#include "cli/failure.hpp"
#include "cli/verb.hpp"

#include <memory>
#include <sstream>

namespace filterd::cli {

namespace {

struct QueueArguments {
    std::string unit;
    std::vector<std::string> ingress;
    std::vector<std::string> egress;
    std::string onFailure = "hold";
    bool reset = false;
};

// A,B and C as A, B and C; an empty word is an empty queue.
std::vector<std::string> split(const std::vector<std::string>& words) {
    std::vector<std::string> names;
    for (const auto& word : words) {
        std::istringstream stream(word);
        for (std::string name; std::getline(stream, name, ',');)
            if (!name.empty())
                names.push_back(name);
    }
    return names;
}

client::Queues queuesOf(const QueueArguments& arguments) {
    return {split(arguments.ingress), split(arguments.egress),
            arguments.onFailure == "pass" ? client::OnFailure::Pass : client::OnFailure::Hold};
}

} // namespace

void addQueueVerbs(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<QueueArguments>();
    auto* verb =
        app.add_subcommand("queue", "Set or reset the queues of a unit; running units change at once");
    verb->add_option("UNIT", arguments->unit, "A unit, a glob over unit names, or a cgroup path")->required();
    auto* ingress = verb->add_option("-i,--ingress,--in", arguments->ingress,
                                     "Filters for incoming packets, in order: A,B or repeated; '' for none");
    auto* egress = verb->add_option("-e,--egress,--out", arguments->egress, "Filters for outgoing packets");
    auto* reset = verb->add_flag("--reset", arguments->reset, "Take back what was set for exactly this UNIT");
    auto* onFailure = verb->add_option("--on-failure", arguments->onFailure,
                                       "While a queue cannot be built: 'hold' drops, 'pass' lets through")
                          ->check(CLI::IsMember({"hold", "pass"}))
                          ->capture_default_str();
    for (auto* option : {ingress, egress})
        option->allow_extra_args(false)->excludes(reset)->type_name("FILTER[,FILTER...]");
    onFailure->excludes(reset);
    verb->callback([=, &invocation] {
        if (!arguments->reset && ingress->count() + egress->count() == 0)
            throw CLI::ValidationError("queue", "give --ingress, --egress or --reset; 'filterctl show " +
                                                    arguments->unit + "' shows what is in force");
        invocation.action = [arguments] {
            return withDaemon([&](client::Client& client) {
                return finished(arguments->reset ? client.resetQueue(arguments->unit)
                                                 : client.setQueue(arguments->unit, queuesOf(*arguments)));
            });
        };
    });
}

} // namespace filterd::cli
