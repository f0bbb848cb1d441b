#include "memory/node.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <utility>

#include "memory/pool.h"

namespace dragon {

namespace {

// Who takes a descriptor in the broker's own process is no client with a socket.
constexpr int kNoClient = INT32_MAX;

// A number for the machine as booted now, the same for every process on it.
uint64_t boot_identity() {
  char text[64] = {};
  const int fd = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 1;
  const ssize_t length = ::read(fd, text, sizeof(text));
  ::close(fd);
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (ssize_t i = 0; i < length; ++i) {
    hash = (hash ^ static_cast<uint8_t>(text[i])) * 0x100000001b3;
  }
  return hash;
}

uint64_t random_identity() {
  uint64_t value = 0;
  if (::getrandom(&value, sizeof(value), 0) != sizeof(value)) value = now_ns();
  return value == 0 ? 1 : value;
}

}  // namespace

Status Node::create(const std::string& dir, const NodeOptions& options,
                    std::shared_ptr<Node>& out) {
  const std::shared_ptr<Node> node(new Node());
  NodeIdentity identity;
  identity.host_id = options.host_id != 0 ? options.host_id : boot_identity();
  identity.runtime_id = options.runtime_id != 0 ? options.runtime_id : random_identity();
  Status status = NodeSegment::create(identity, node->segment_);
  if (status != DRAGON_SUCCESS) return status;
  node->dir_ = dir;
  node->broker_ = std::make_shared<Broker>();
  status = node->broker_->open(dir.c_str(), node->segment_);
  if (status == DRAGON_SUCCESS) status = node->start(options);
  if (status == DRAGON_SUCCESS) out = node;
  return status;
}

Status Node::attach(const std::string& dir, const NodeOptions& options,
                    std::shared_ptr<Node>& out) {
  const std::shared_ptr<Node> node(new Node());
  const BrokerClient broker(dir.c_str());
  int fd = -1;
  Status status = broker.hello(fd);
  if (status == DRAGON_SUCCESS) status = NodeSegment::attach(fd, node->segment_);
  if (status != DRAGON_SUCCESS) return status;
  node->dir_ = dir;
  status = node->start(options);
  if (status == DRAGON_SUCCESS) status = broker.attached(node->me_.id);
  if (status == DRAGON_SUCCESS) out = node;
  return status;
}

Status Node::attach_local(const std::shared_ptr<Node>& first, const NodeOptions& options,
                          std::shared_ptr<Node>& out) {
  if (first->closed()) return DRAGON_CLOSED;
  const std::shared_ptr<Node> node(new Node());
  node->segment_ = first->segment_;
  node->segments_ = first->segments_;
  node->dir_ = first->dir_;
  node->broker_ = first->broker_;
  Status status = node->start(options);
  if (status != DRAGON_SUCCESS) return status;
  if (node->broker_ != nullptr) {
    node->broker_->attached(node->me_.id, ::getpid());
  } else {
    status = BrokerClient(node->dir_.c_str()).attached(node->me_.id);
  }
  if (status == DRAGON_SUCCESS) out = node;
  return status;
}

Status Node::start(const NodeOptions& options) {
  me_.table = &actors_;
  const Status status = actors_.enter(options.name, me_.id);
  if (status != DRAGON_SUCCESS) return status;
  lot_ = std::make_unique<ParkingLot>(segment_, actors_, me_, bell_);
  return bell_.open(dir_.c_str(), actors_, me_.id, options.bell);
}

Node::~Node() {
  close();
}

void Node::close(bool given_back) {
  if (closed_) return;
  closed_ = true;
  bell_.close();
  if (me_.id == 0) return;
  if (given_back) {
    actors_.leave(me_.id);
  } else {
    actors_.mark_dead(me_.id);
  }
}

Status Node::pool(uint32_t segment_id, std::shared_ptr<Pool>& out) {
  if (closed_) return DRAGON_CLOSED;
  const auto found = pools_.find(segment_id);
  if (found != pools_.end()) {
    out = found->second.lock();
    if (out != nullptr) return out->destroyed() ? DRAGON_OBJECT_DESTROYED : DRAGON_SUCCESS;
    pools_.erase(found);
  }
  Segment segment;
  const Status status = get_segment(segment_id, segment);
  if (status == DRAGON_NOT_FOUND) return DRAGON_OBJECT_DESTROYED;
  if (status != DRAGON_SUCCESS) return status;
  return Pool::open(shared_from_this(), std::move(segment), false, out);
}

Status Node::put_segment(Segment& segment) {
  uint32_t id = 0;
  const int fd = segment.mapping().fd();
  const Status status = broker_ != nullptr ? broker_->put(fd, ::getpid(), id)
                                           : BrokerClient(dir_.c_str()).put(fd, id);
  if (status != DRAGON_SUCCESS) return status;
  segment.set_id(id);
  segments_->remember(segment);
  return DRAGON_SUCCESS;
}

Status Node::get_segment(uint32_t segment_id, Segment& out) {
  if (std::shared_ptr<const Mapping> mapping = segments_->find(segment_id)) {
    out = Segment(std::move(mapping));
    return DRAGON_SUCCESS;
  }
  int fd = -1;
  if (broker_ == nullptr) {
    const Status status = BrokerClient(dir_.c_str()).get(segment_id, fd);
    if (status != DRAGON_SUCCESS) return status;
  } else {
    const int held = broker_->get(segment_id);
    if (held < 0) return DRAGON_NOT_FOUND;
    fd = ::fcntl(held, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return DRAGON_SYSTEM;
  }
  const Status status = Segment::attach(fd, identity(), out);
  if (status == DRAGON_SUCCESS) segments_->remember(out);
  return status;
}

void Node::drop_segment(uint32_t segment_id) {
  if (broker_ != nullptr) {
    broker_->drop(segment_id);
  } else {
    BrokerClient(dir_.c_str()).drop(segment_id);
  }
}

Status Node::offer_descriptor(int fd, HandleBytes& out) {
  if (closed_) return DRAGON_CLOSED;
  if (::fcntl(fd, F_GETFD) < 0) return DRAGON_INVALID_ARGUMENT;
  Handle handle;
  handle.kind = HandleKind::kDescriptor;
  handle.host_id = identity().host_id;
  handle.runtime_id = identity().runtime_id;
  const Status status = broker_ != nullptr
                            ? broker_->offers().offer(fd, ::getpid(), handle.allocation)
                            : BrokerClient(dir_.c_str()).offer(fd, handle.allocation);
  if (status == DRAGON_SUCCESS) encode_handle(handle, out);
  return status;
}

Status Node::take_descriptor(const uint8_t* bytes, size_t length, int& fd_out) {
  if (closed_) return DRAGON_CLOSED;
  Handle handle;
  const Status status =
      decode_handle_for(identity(), HandleKind::kDescriptor, bytes, length, handle);
  if (status != DRAGON_SUCCESS) return status;
  if (broker_ == nullptr) return BrokerClient(dir_.c_str()).take(handle.allocation, fd_out);
  const int offered = broker_->offers().take(handle.allocation, kNoClient);
  if (offered < 0) return DRAGON_NOT_FOUND;
  fd_out = ::fcntl(offered, F_DUPFD_CLOEXEC, 0);
  if (fd_out < 0) {
    broker_->offers().on_hang_up(kNoClient);
    return DRAGON_SYSTEM;
  }
  broker_->offers().withdraw(handle.allocation);
  return DRAGON_SUCCESS;
}

Status Node::withdraw_descriptor(const uint8_t* bytes, size_t length) {
  if (closed_) return DRAGON_CLOSED;
  Handle handle;
  const Status status =
      decode_handle_for(identity(), HandleKind::kDescriptor, bytes, length, handle);
  if (status != DRAGON_SUCCESS) return status;
  if (broker_ == nullptr) return BrokerClient(dir_.c_str()).withdraw(handle.allocation);
  return broker_->offers().withdraw(handle.allocation) ? DRAGON_SUCCESS : DRAGON_NOT_FOUND;
}

void Node::remember(uint32_t segment_id, const std::shared_ptr<Pool>& pool) {
  pools_[segment_id] = pool;
}

}  // namespace dragon
