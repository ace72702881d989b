// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/worker/worker.hpp"

#include "base/log.hpp"
#include "edge/bpf/filters/direct_works.hpp"
#include "edge/bpf/intake/filter_intake.hpp"
#include "edge/pcap/pcap_expressions.hpp"
#include "edge/worker/confinement.hpp"
#include "edge/worker/job_text.hpp"

#include <cstdlib>
#include <exception>

namespace filterd::worker {

int run() {
    PcapExpressions expressions;
    FilterIntake intake(expressions);
    bpf::DirectWorks works(intake);
    if (auto confined = confineProcess(); !confined) {
        log::error(confined.error());
        return kNotConfined;
    }
    while (auto job = receive(kSocket))
        try {
            if (auto sent = send(kSocket, doJob(*job, {works, expressions}).parcel); !sent)
                return EXIT_FAILURE;
        } catch (const std::exception& thrown) {
            log::error(std::string("bug: a job that cannot be done: ") + thrown.what());
            return EXIT_FAILURE;
        }
    return EXIT_SUCCESS;
}

} // namespace filterd::worker
