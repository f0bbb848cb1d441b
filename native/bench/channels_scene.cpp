// A node with its broker, and attachments to it; see channels_scene.h.

#include "channels_scene.h"

#include <poll.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>

#include "measure.h"

namespace dragon::bench {

namespace {

constexpr int kPollMs = 20;

}  // namespace

Scene::Scene() {
  dir_ = (std::filesystem::temp_directory_path() / "channels-XXXXXX").string();
  if (::mkdtemp(dir_.data()) == nullptr) fail_errno("mkdtemp");
  expect(Node::create(dir_, NodeOptions{}, node_), "create a node");
  expect(Pool::create(node_, PoolOptions{}, pool_), "create a pool");
  broker_ = std::thread([this] { serve(); });
}

Scene::~Scene() {
  ended_.store(true);
  broker_.join();
  std::filesystem::remove_all(dir_);
}

void Scene::serve() {
  while (!ended_.load()) {
    pollfd descriptor{node_->broker()->fd(), POLLIN, 0};
    if (::poll(&descriptor, 1, kPollMs) > 0) node_->broker()->on_readable();
  }
}

std::unique_ptr<Channel> Scene::make(uint32_t capacity, uint32_t block_bytes) {
  ChannelOptions options;
  options.capacity = capacity;
  options.block_bytes = block_bytes;
  std::unique_ptr<Channel> channel;
  expect(Channel::create(pool_, options, channel), "create a channel");
  return channel;
}

std::unique_ptr<Channel> Scene::attach(const HandleBytes& handle) {
  if (there_ == nullptr) expect(Node::attach(dir_, NodeOptions{}, there_), "attach to the node");
  std::unique_ptr<Channel> channel;
  RecordId adopted = 0;
  expect(Channel::attach(there_, handle, sizeof handle, false, adopted, channel), "attach");
  return channel;
}

}  // namespace dragon::bench
