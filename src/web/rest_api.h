// The REST interface of a cluster: which requests there are, and what each asks of ClusterControl.
//
// Paths and shapes are Flink's where Flink has them (docs/reference/rest.md). Requests come from
// any thread, several at once. A coordinator that does not lead sends them on to the one that does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "millrace/coordination/cluster_control.h"
#include "millrace/core/time.h"
#include "millrace/web/http.h"

namespace millrace::detail {

class RestApi {
 public:
  RestApi(ClusterControl& control, const Clock& clock) : control_(control), clock_(clock) {}

  HttpAnswer answer(const HttpRequest& request) const;

 private:
  // A request and what its path names.
  struct Call {
    const HttpRequest& request;
    std::vector<std::string> names;
  };
  struct Route;
  static const Route kRoutes[];

  Result<HttpAnswer> overview(const Call& call) const;
  Result<HttpAnswer> config(const Call& call) const;
  Result<HttpAnswer> leader(const Call& call) const;
  Result<HttpAnswer> workers(const Call& call) const;
  Result<HttpAnswer> job_ids(const Call& call) const;
  Result<HttpAnswer> jobs_overview(const Call& call) const;
  Result<HttpAnswer> job(const Call& call) const;
  Result<HttpAnswer> checkpoints(const Call& call) const;
  Result<HttpAnswer> change_job(const Call& call) const;
  Result<HttpAnswer> stop(const Call& call) const;
  Result<HttpAnswer> take_savepoint(const Call& call) const;
  Result<HttpAnswer> savepoint(const Call& call) const;
  Result<HttpAnswer> requirements(const Call& call) const;
  Result<HttpAnswer> rescale(const Call& call) const;
  Result<HttpAnswer> logs(const Call& call) const;
  Result<HttpAnswer> has_artifact(const Call& call) const;
  Result<HttpAnswer> put_artifact(const Call& call) const;
  Result<HttpAnswer> run(const Call& call) const;

  Result<HttpAnswer> start_savepoint(const Call& call,
                                     const ClusterControl::SavepointWish& wish) const;
  // The answer to a request for another coordinator; nothing if this one leads.
  std::optional<HttpAnswer> elsewhere(const HttpRequest& request) const;

  ClusterControl& control_;
  const Clock& clock_;
};

}  // namespace millrace::detail
