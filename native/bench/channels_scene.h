// What the measurements of channels share: a node whose broker a thread of this process drives, as
// an event loop would, and attachments of other processes.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "channel/channel.h"
#include "expect.h"

namespace dragon::bench {

class Options;

class Scene {
 public:
  Scene();
  ~Scene();
  std::unique_ptr<Channel> make(uint32_t capacity = 100, uint32_t block_bytes = 192);
  const std::shared_ptr<Pool>& pool() const { return pool_; }
  /// In another process: attaches to the node, once, and to the channel of the handle.
  std::unique_ptr<Channel> attach(const HandleBytes& handle);

 private:
  void serve();

  std::string dir_;
  std::shared_ptr<Node> node_;
  std::shared_ptr<Pool> pool_;
  std::atomic<bool> ended_ = false;
  std::thread broker_;
  std::shared_ptr<Node> there_;
};

void measure_latency(const Options& options);
void measure_large(const Options& options);
void measure_rate(const Options& options);
void measure_copy(const Options& options);
void measure_create(const Options& options);
void measure_idle(const Options& options);

}  // namespace dragon::bench
