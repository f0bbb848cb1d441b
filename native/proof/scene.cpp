#include "proof/scene.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "proof/audit.h"

namespace dragon::proof {

std::string fault_of(const char* what, Status status) {
  return std::string(what) + ": " + dragon_status_name(status);
}

Status reclaim_process(const std::shared_ptr<Node>& node, int32_t pid) {
  ActorInfo info;
  for (uint32_t slot = 0; node->actors().info(slot, info); ++slot) {
    if (info.pid != pid || info.state == ActorState::kFree || node->actors().probe(info.id)) {
      continue;
    }
    ReclaimReport report;
    const Status status = reclaim(node, info.id, report);
    // NOT_FOUND: another reclaimer was faster.
    if (status != DRAGON_SUCCESS && status != DRAGON_NOT_FOUND) return status;
  }
  return DRAGON_SUCCESS;
}

Scene::Scene(const RunPlan& plan) {
  const char* base = ::getenv("TMPDIR");
  dir = std::string(base != nullptr ? base : "/tmp") + "/dragon-proof.XXXXXX";
  if (::mkdtemp(dir.data()) == nullptr) {
    fault = "no directory " + dir;
    dir.clear();
    return;
  }
  const Status status = make(plan);
  if (status != DRAGON_SUCCESS) fault = fault_of("the scene", status);
}

Status Scene::make(const RunPlan& plan) {
  Status status = Node::create(dir, {}, node);
  if (status != DRAGON_SUCCESS) return status;
  PoolOptions options;
  options.limit_bytes = plan.limit_bytes;
  status = Pool::create(node, options, pool);
  if (status != DRAGON_SUCCESS) return status;
  pool->serialize(handles.pool);
  const bool apart = std::any_of(plan.channels.begin(), plan.channels.end(),
                                 [](const ChannelPlan& channel) { return channel.payload_pool; });
  if (apart) {
    status = Pool::create(node, options, payloads);
    if (status != DRAGON_SUCCESS) return status;
    payloads->serialize(handles.payloads);
  }
  for (size_t i = 0; i < plan.channels.size(); ++i) {
    ChannelOptions shape;
    shape.capacity = plan.channels[i].capacity;
    shape.block_bytes = plan.channels[i].block_bytes;
    shape.end_of_stream = plan.channels[i].end_of_stream;
    if (plan.channels[i].payload_pool) shape.payload_pool = payloads;
    std::unique_ptr<Channel> made;
    status = Channel::create(pool, shape, made);
    if (status != DRAGON_SUCCESS) return status;
    made->serialize(handles.channels[i]);
    channels.push_back(std::move(made));
  }
  for (HandleBytes& handle : handles.locks) {
    status = LockObject::create(pool, true, locks.emplace_back());
    if (status != DRAGON_SUCCESS) return status;
    locks.back()->serialize(handle);
  }
  status = Counter::create(pool, 0, counter);
  if (status != DRAGON_SUCCESS) return status;
  counter->serialize(handles.counter);
  return make_meetings();
}

Status Scene::make_meetings() {
  Status status = Semaphore::create(pool, kPermits, 0, meetings.semaphore);
  if (status == DRAGON_SUCCESS) status = Barrier::create(pool, kParties, meetings.barrier);
  if (status == DRAGON_SUCCESS) status = Event::create(pool, false, meetings.event);
  BroadcastOptions shape;
  shape.payload_bytes = kRoundBytes;
  if (status == DRAGON_SUCCESS) status = Broadcast::create(pool, shape, meetings.broadcast);
  if (status == DRAGON_SUCCESS) status = Condition::create(pool, kWorkersMax, meetings.condition);
  if (status == DRAGON_SUCCESS) status = RwLock::create(pool, kReaders, meetings.rw_lock);
  QueueOptions counted;
  counted.channel.capacity = 10;
  counted.consumers = kConsumers;
  if (status == DRAGON_SUCCESS) status = Queue::create(pool, counted, meetings.queue);
  if (status != DRAGON_SUCCESS) return status;
  meetings.semaphore->serialize(handles.semaphore);
  meetings.barrier->serialize(handles.barrier);
  meetings.event->serialize(handles.event);
  meetings.broadcast->serialize(handles.broadcast);
  meetings.condition->serialize(handles.condition);
  meetings.rw_lock->serialize(handles.rw_lock);
  meetings.queue->serialize(handles.queue);
  return DRAGON_SUCCESS;
}

Status Meetings::attach(const std::shared_ptr<Node>& node, const Handles& handles) {
  RecordId record = 0;
  const auto each = [&](auto& object, const HandleBytes& handle) {
    using Object = typename std::remove_reference_t<decltype(object)>::element_type;
    return Object::attach(node, handle, kHandleBytes, false, record, object);
  };
  Status status = each(semaphore, handles.semaphore);
  if (status == DRAGON_SUCCESS) status = each(barrier, handles.barrier);
  if (status == DRAGON_SUCCESS) status = each(event, handles.event);
  if (status == DRAGON_SUCCESS) status = each(broadcast, handles.broadcast);
  if (status == DRAGON_SUCCESS) status = each(condition, handles.condition);
  if (status == DRAGON_SUCCESS) status = each(rw_lock, handles.rw_lock);
  if (status == DRAGON_SUCCESS) {
    status = Queue::attach(node, handles.queue, kQueueHandleBytes, queue);
  }
  return status;
}

void Meetings::close() {
  semaphore.reset();
  barrier.reset();
  event.reset();
  broadcast.reset();
  condition.reset();
  rw_lock.reset();
  queue.reset();
}

Scene::~Scene() {
  channels.clear();
  locks.clear();
  counter.reset();
  meetings.close();
  payloads.reset();
  pool.reset();
  if (node != nullptr) leave(node);
  node.reset();
  if (!dir.empty()) std::filesystem::remove_all(dir);  // what the dead have left, if they have
}

std::string Scene::end() {
  channels.clear();
  locks.clear();
  counter.reset();
  meetings.close();
  std::string left = audit_empty(*pool);
  if (left.empty() && payloads != nullptr) left = audit_empty(*payloads);
  if (!left.empty()) return left;
  payloads.reset();
  pool.reset();
  leave(node);
  node.reset();
  if (::rmdir(dir.c_str()) != 0) {
    std::string names = "files are left in the node's directory:";
    DIR* listing = ::opendir(dir.c_str());
    while (const dirent* entry = ::readdir(listing)) names += std::string(" ") + entry->d_name;
    ::closedir(listing);
    return names;
  }
  dir.clear();
  return "";
}

void Scene::serve() const {
  node->broker()->on_readable();
  BrokerEvent event;
  while (node->broker()->next_event(event)) {
  }
}

Status Scene::reclaim_process(int32_t pid) const {
  return proof::reclaim_process(node, pid);
}

}  // namespace dragon::proof
