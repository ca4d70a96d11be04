#pragma once

#include "units.hpp"

namespace xpcctl {

/// Writes the units of one job, part by part.
struct unit_builder {
  const openxpc::job::description& job;
  const unit_options& how;
  exported_units out = {};
  std::vector<std::string> socket_units = {};

  const std::string& label() const { return job.label; }
  void warn(const std::string& key, const std::string& text) {
    out.warnings.push_back(key + ": " + text);
  }

  // unit_triggers.cpp
  void add_sockets();
  void add_timer();
  void add_paths();
  // unit_service.cpp: after what starts it.
  void add_service();

 private:
  void add_socket(const std::string& descriptor, const std::string& unit, const std::string& lines);
  std::string command();
  std::string environment();
  std::string identity();
  std::string files();
  std::string limits();
  std::string priorities();
  std::string restarts();
};

}  // namespace xpcctl
