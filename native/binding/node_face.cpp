// The face of a node attachment.
#include "binding/node_face.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <vector>

#include "binding/classes.h"
#include "binding/face.h"
#include "channel/reclaim.h"
#include "memory/object.h"

namespace dragon::binding {

namespace {

constexpr uint64_t kSweepPeriodMs = 1000;
constexpr uint32_t kLooksPerTurn = 16;
// WakeWord in src/core/native.ts.
constexpr size_t kWordRefs = 0;
constexpr size_t kWordHeld = 1;
constexpr size_t kWordFirst = 2;
constexpr size_t kWakesMax = 64;

const char* state_name(ActorState state) {
  switch (state) {
    case ActorState::kLive:
      return "live";
    case ActorState::kDead:
      return "dead";
    case ActorState::kReclaiming:
      return "reclaiming";
    case ActorState::kFree:
      return "free";
  }
  return "free";
}

std::string hex_key(uint64_t key) {
  char text[24];
  std::snprintf(text, sizeof text, "%" PRIx64, key >> kLaneBits);
  return text;
}

}  // namespace

void NodeFace::init(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor =
      DefineClass(env, "NativeNode",
                  {
                      InstanceAccessor<&NodeFace::actor_id>("actorId"),
                      InstanceAccessor<&NodeFace::host_id>("hostId"),
                      InstanceMethod<&NodeFace::well_known>("wellKnown"),
                      InstanceMethod<&NodeFace::set_well_known>("setWellKnown"),
                      InstanceMethod<&NodeFace::rearm>("rearm"),
                      InstanceMethod<&NodeFace::cancel>("cancel"),
                      InstanceMethod<&NodeFace::on_wake>("onWake"),
                      InstanceMethod<&NodeFace::hold>("hold"),
                      InstanceMethod<&NodeFace::begin_block>("beginBlock"),
                      InstanceMethod<&NodeFace::block>("block"),
                      InstanceMethod<&NodeFace::end_block>("endBlock"),
                      InstanceMethod<&NodeFace::on_actor>("onActor"),
                      InstanceMethod<&NodeFace::reclaim>("reclaim"),
                      InstanceMethod<&NodeFace::actors>("actors"),
                      InstanceMethod<&NodeFace::waits>("waits"),
                      InstanceMethod<&NodeFace::segments>("segments"),
                      InstanceMethod<&NodeFace::release_bytes>("releaseBytes"),
                      InstanceMethod<&NodeFace::release_buffer>("releaseBuffer"),
                      InstanceMethod<&NodeFace::part_of_bytes>("partOfBytes"),
                      InstanceMethod<&NodeFace::offer_descriptor>("offerDescriptor"),
                      InstanceMethod<&NodeFace::take_descriptor>("takeDescriptor"),
                      InstanceMethod<&NodeFace::withdraw_descriptor>("withdrawDescriptor"),
                      InstanceMethod<&NodeFace::close>("close"),
                  });
  classes(env).node = Napi::Persistent(constructor);
  exports.Set("createNode", Napi::Function::New<NodeFace::create>(env));
  exports.Set("attachNode", Napi::Function::New<NodeFace::attach>(env));
}

NodeFace* NodeFace::of(const Napi::Value& value) {
  return face_of<NodeFace>(value, classes(value.Env()).node);
}

NodeFace::NodeFace(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NodeFace>(info) {}

NodeFace::~NodeFace() {
  stop();
}

Napi::Value NodeFace::create(const Napi::CallbackInfo& info) {
  std::shared_ptr<Node> node;
  NodeOptions options;
  options.name = "services";
  const Status status = Node::create(info[0].ToString(), options, node);
  if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
  return make(info.Env(), std::move(node));
}

Napi::Value NodeFace::attach(const Napi::CallbackInfo& info) {
  std::shared_ptr<Node> node;
  const Status status = Node::attach(info[0].ToString(), NodeOptions{}, node);
  if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
  return make(info.Env(), std::move(node));
}

Napi::Value NodeFace::make(Napi::Env env, std::shared_ptr<Node> node) {
  Napi::Object object = classes(env).node.New({});
  Unwrap(object)->start(env, std::move(node));
  return object;
}

void NodeFace::start(Napi::Env env, std::shared_ptr<Node> node) {
  node_ = std::move(node);
  bell_poll_.open(env, node_->bell().fd(), [this] {
    node_->bell().empty();
    node_->bell().stay_awake();
    look();
  });
  bell_poll_.listen(false);
  bell_poll_.unref();
  turn_.open(env, [this] { return before_poll(); });
  if (node_->broker() != nullptr) {
    broker_poll_.open(env, node_->broker()->fd(), [this] { serve_broker(); });
    broker_poll_.listen(false);
    broker_poll_.unref();
    sweep_timer_.open(env, kSweepPeriodMs, [this] {
      if (!node_->broker()->needs_sweep()) return;
      node_->broker()->sweep();
      serve_broker();
    });
  }
  napi_add_env_cleanup_hook(env, at_exit, this);
}

// When the main thread's environment ends the process ends, and the services give back what it
// owned; a worker thread's process lives on, so it leaves by itself.
void NodeFace::at_exit(void* argument) {
  NodeFace* face = static_cast<NodeFace*>(argument);
  const bool main_thread = syscall(SYS_gettid) == getpid();
  if (face->node_ != nullptr && !main_thread) leave(face->node_);
  // Not destroyed: closing a live actor without giving back what it owns would lose it.
  if (main_thread) new std::shared_ptr<Node>(face->node_);
  face->bell_poll_.close();
  face->turn_.close();
  face->broker_poll_.close();
  face->sweep_timer_.close();
  face->node_ = nullptr;
}

void NodeFace::stop() {
  if (node_ == nullptr) return;
  napi_remove_env_cleanup_hook(Env(), at_exit, this);
  bell_poll_.close();
  turn_.close();
  broker_poll_.close();
  sweep_timer_.close();
  sleep_.reset();
  waits_.clear();
  leases_->end_all(Env());
  kept_.clear();
  leave(node_);
  node_ = nullptr;
}

void NodeFace::close(const Napi::CallbackInfo&) {
  stop();
}

Napi::Value NodeFace::actor_id(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), node_ == nullptr ? 0 : node_->me().id);
}

Napi::Value NodeFace::host_id(const Napi::CallbackInfo& info) {
  return Napi::BigInt::New(info.Env(), node_ == nullptr ? 0 : node_->identity().host_id);
}

Napi::Value NodeFace::well_known(const Napi::CallbackInfo& info) {
  HandleBytes handle;
  if (node_ == nullptr) return info.Env().Undefined();
  const Status status =
      node_->segment().well_known(static_cast<uint32_t>(number_of(info[0], -1)), handle);
  return status == DRAGON_SUCCESS ? copy_of(info.Env(), handle) : info.Env().Undefined();
}

Napi::Value NodeFace::set_well_known(const Napi::CallbackInfo& info) {
  Bytes bytes;
  HandleBytes handle;
  if (node_ == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
  if (!bytes_of(info[1], bytes) || bytes.length != kHandleBytes) {
    return status_value(info.Env(), DRAGON_BAD_HANDLE);
  }
  std::memcpy(handle, bytes.data, kHandleBytes);
  const uint32_t index = static_cast<uint32_t>(number_of(info[0], -1));
  return status_value(info.Env(), node_->segment().set_well_known(index, handle));
}

Napi::Value NodeFace::arm(Napi::Env env, const WaitPlace& place, std::shared_ptr<void> keep_alive,
                          uint64_t ticket) {
  if (node_ == nullptr) return Napi::Number::New(env, -static_cast<double>(DRAGON_CLOSED));
  RecordId record = 0;
  const Status status = node_->lot().arm(place, WaitKind::kEventLoop, ticket, record);
  if (status != DRAGON_SUCCESS) return Napi::Number::New(env, -static_cast<double>(status));
  const uint32_t id = RecordArea::index_of(record);
  waits_[id] = Wait{record, place, std::move(keep_alive)};
  return Napi::Number::New(env, id);
}

void NodeFace::rearm(const Napi::CallbackInfo& info) {
  const auto found = waits_.find(static_cast<uint32_t>(number_of(info[0], 0)));
  if (found != waits_.end()) node_->lot().rearm(found->second.place, found->second.record);
}

void NodeFace::cancel(const Napi::CallbackInfo& info) {
  const auto found = waits_.find(static_cast<uint32_t>(number_of(info[0], 0)));
  if (found == waits_.end()) return;
  const bool used = info[1].ToBoolean();
  if (node_->lot().cancel(found->second.record) && !used) {
    node_->lot().wake_one(found->second.place);
  }
  waits_.erase(found);
}

void NodeFace::on_wake(const Napi::CallbackInfo& info) {
  wake_ = Napi::Persistent(info[0].As<Napi::Function>());
  Napi::Uint32Array words = info[1].As<Napi::Uint32Array>();
  words_array_ = Napi::Persistent(info[1].As<Napi::Object>());
  if (words.ElementLength() >= kWordFirst + kWakesMax) words_ = words.Data();
}

void NodeFace::hold(const Napi::CallbackInfo&) {
  if (node_ == nullptr || words_ == nullptr) return;
  words_[kWordHeld] = 1;
  bell_poll_.ref();
}

// What rings soon is answered here, a few times without a turn of the loop; then the loop looks at
// everything else. Whatever happens, rings are sent while it sleeps.
bool NodeFace::before_poll() {
  if (words_ == nullptr) return true;
  Bell& bell = node_->bell();
  bool quiet = false;
  for (uint32_t looks = 0; !quiet && looks < kLooksPerTurn && !waits_.empty(); ++looks) {
    if (bell.stay_awake()) {
      look();
      if (node_ == nullptr) return true;
    } else if (!turn_.would_sleep() || !bell_look_.look([&] { return bell.rung(); })) {
      quiet = bell.may_sleep();
    }
  }
  if (words_[kWordHeld] != 0 && words_[kWordRefs] == 0) {
    words_[kWordHeld] = 0;
    bell_poll_.unref();
  }
  if (waits_.empty()) bell.stay_awake();
  return quiet || bell.may_sleep();
}

// Tells JavaScript of the records that are woken, in the order in which they came to wait.
void NodeFace::look() {
  woken_.clear();
  for (const auto& [id, wait] : waits_) {
    if (!node_->lot().woken(wait.record)) continue;
    woken_.emplace_back(node_->records().of(wait.record).ticket.load(), id);
  }
  if (woken_.size() > 1) std::sort(woken_.begin(), woken_.end());
  for (size_t first = 0; node_ != nullptr && first < woken_.size(); first += kWakesMax) {
    tell(first);
  }
}

void NodeFace::tell(size_t first) {
  const size_t count = std::min(kWakesMax, woken_.size() - first);
  uint32_t* ids = words_ + kWordFirst;
  for (size_t i = 0; i < count; ++i) ids[i] = woken_[first + i].second;
  call_back(Env(), wake_, std::vector<double>{static_cast<double>(count)});
  if (node_ == nullptr) return;
  for (size_t i = 0; i < count; ++i) {
    const auto found = waits_.find(ids[i]);
    if (found == waits_.end()) continue;
    node_->lot().cancel(found->second.record);
    waits_.erase(found);
  }
}

void NodeFace::begin_block(const Napi::CallbackInfo&) {
  if (node_ == nullptr) return;
  sleep_.emplace(*node_);
  sleep_->begin();
}

void NodeFace::block(const Napi::CallbackInfo& info) {
  if (sleep_.has_value()) sleep_->sleep(deadline_of(info[0]));
}

void NodeFace::end_block(const Napi::CallbackInfo&) {
  sleep_.reset();
}

void NodeFace::on_actor(const Napi::CallbackInfo& info) {
  actor_ = Napi::Persistent(info[0].As<Napi::Function>());
}

void NodeFace::serve_broker() {
  const std::shared_ptr<Node> node = node_;
  node->broker()->on_readable();
  BrokerEvent event;
  while (node->broker()->next_event(event)) {
    const double dead = event.kind == BrokerEvent::Kind::kDead ? 1 : 0;
    call_back(Env(), actor_, std::vector<double>{double(event.actor), double(event.pid), dead});
  }
}

Napi::Value NodeFace::reclaim(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (node_ == nullptr) return status_value(env, DRAGON_CLOSED);
  ReclaimReport report;
  const ActorId dead = static_cast<ActorId>(number_of(info[0], 0));
  const Status status = dragon::reclaim(node_, dead, report);
  if (status != DRAGON_SUCCESS) return failure(env, status);
  Napi::Object object = Napi::Object::New(env);
  object.Set("allocations", report.allocations);
  object.Set("slots", report.slots);
  object.Set("records", report.records);
  object.Set("locks", report.locks);
  return object;
}

Napi::Value NodeFace::actors(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array list = Napi::Array::New(env);
  if (node_ == nullptr) return list;
  ActorInfo actor;
  for (uint32_t slot = 0; node_->actors().info(slot, actor); ++slot) {
    if (actor.state == ActorState::kFree) continue;
    Napi::Object object = Napi::Object::New(env);
    object.Set("actorId", actor.id);
    object.Set("pid", actor.pid);
    object.Set("startTime", Napi::BigInt::New(env, actor.start_time));
    object.Set("state", state_name(actor.state));
    list.Set(list.Length(), object);
  }
  return list;
}

Napi::Value NodeFace::waits(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array list = Napi::Array::New(env);
  if (node_ == nullptr) return list;
  const uint64_t now = now_ns();
  for (uint32_t index = 1; index < node_->records().committed(); ++index) {
    WaitInfo wait;
    if (!node_->lot().info(index, wait)) continue;
    ActorInfo actor;
    node_->actors().info(actor_slot(wait.actor), actor);
    Napi::Object object = Napi::Object::New(env);
    object.Set("actorId", wait.actor);
    object.Set("pid", actor.pid);
    object.Set("objectId", hex_key(wait.key));
    object.Set("lane", static_cast<uint32_t>(wait.key & ((1u << kLaneBits) - 1)));
    object.Set("blocked", wait.kind != WaitKind::kEventLoop);
    object.Set("sinceMs", now > wait.since_ns ? (now - wait.since_ns) / 1e6 : 0.0);
    list.Set(list.Length(), object);
  }
  return list;
}

Napi::Value NodeFace::segments(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array list = Napi::Array::New(env);
  if (node_ == nullptr || node_->broker() == nullptr) return list;
  for (const BrokerSegment& segment : node_->broker()->segments()) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("id", segment.id);
    object.Set("fd", segment.fd);
    list.Set(list.Length(), object);
  }
  return list;
}

// Whether the bytes lay in a pool; then they are given back, and all their ArrayBuffers detached.
Napi::Value NodeFace::release_bytes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsTypedArray()) return Napi::Boolean::New(env, false);
  const Napi::ArrayBuffer buffer = info[0].As<Napi::TypedArray>().ArrayBuffer();
  uint64_t offset = 0;
  const std::shared_ptr<Lease> lease = leases_->find(env, buffer, offset);
  if (lease != nullptr) lease->let_go(env);
  return Napi::Boolean::New(env, lease != nullptr);
}

// releaseBuffer(buffer): a status; of its memory other ArrayBuffers may go on showing parts.
Napi::Value NodeFace::release_buffer(const Napi::CallbackInfo& info) {
  if (!info[0].IsArrayBuffer()) return status_value(info.Env(), DRAGON_NOT_FOUND);
  return status_value(info.Env(), leases_->release(info.Env(), info[0].As<Napi::ArrayBuffer>()));
}

Napi::Value NodeFace::part_of_bytes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto bytes = info[0].As<Napi::TypedArray>();
  uint64_t begin = 0;
  const std::shared_ptr<Lease> lease = leases_->find(env, bytes.ArrayBuffer(), begin);
  if (lease == nullptr) return env.Undefined();
  const int64_t offset = info[1].ToNumber().Int64Value();
  const int64_t length = info[2].ToNumber().Int64Value();
  if (offset < 0 || length < 0) return env.Undefined();
  return lease->part(env, begin + bytes.ByteOffset() + static_cast<uint64_t>(offset),
                     static_cast<uint64_t>(length));
}

}  // namespace dragon::binding
