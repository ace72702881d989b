// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// org.freedesktop.LogControl1: what "systemctl service-log-level" and "service-log-target" speak to.

#include "glue/LogControl1_adaptor.hpp"
#include "service/authority.hpp"

namespace filterd {

class LogControlObject final : public sdbus::AdaptorInterfaces<org::freedesktop::LogControl1_adaptor> {
  public:
    LogControlObject(sdbus::IConnection& connection, Authority& authority);
    ~LogControlObject() { unregisterAdaptor(); }
    LogControlObject(const LogControlObject&) = delete;
    LogControlObject& operator=(const LogControlObject&) = delete;

  private:
    std::string LogLevel() override;
    void LogLevel(const std::string& value) override;
    std::string LogTarget() override;
    void LogTarget(const std::string& value) override;
    std::string SyslogIdentifier() override;

    void requireRoot();

    Authority& authority_;
};

} // namespace filterd
