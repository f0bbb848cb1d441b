#include "proof/script.h"

#include <cstdarg>
#include <cstdio>

namespace dragon::proof {

namespace {

// How often each kind is drawn, in the order of OpKind.
constexpr uint32_t kWeights[kOpKinds] = {8, 7, 18, 6, 18, 4, 4, 9, 4, 4, 3, 3, 2, 4, 5, 4, 3,
                                         4, 3, 5,  5, 4,  5, 5, 3, 5, 4, 5, 4, 4, 4, 6, 6};
constexpr const char* kNames[kOpKinds] = {
    "allocate",     "free",      "send",          "send-allocation",
    "receive",      "peek",      "poll",          "lock",
    "count",        "handle",    "lend",          "adopt",
    "own",          "arm",       "permit",        "meet",
    "event",        "broadcast", "condition",     "send-many",
    "receive-many", "send-lent", "await-receipt", "receive-into",
    "pop",          "watch",     "stream",        "read",
    "write",        "resize",    "view",          "queue",
    "share"};
constexpr const char* kPatience[] = {"try", "short", "long"};
constexpr const char* kFates[] = {"lives", "killed", "stopped", "stopped and killed", "shot"};
constexpr const char* kRecoveries[] = {"at once", "later", "at the end"};
constexpr const char* kSeconds[] = {"nobody", "the reclaimer", "a survivor"};

// Most attachments are over by then, and most scripts are not.
constexpr uint32_t kPointsOfAttachment = 40;
constexpr uint32_t kPointsOfAnOperation = 25;

OpKind draw_kind(Random& random) {
  uint32_t total = 0;
  for (const uint32_t weight : kWeights) total += weight;
  uint32_t left = random.below(total);
  uint32_t kind = 0;
  while (left >= kWeights[kind]) left -= kWeights[kind++];
  return static_cast<OpKind>(kind);
}

uint32_t draw_bytes(Random& random) {
  switch (random.below(8)) {
    case 0:
      return random.below(8);
    case 1:
    case 2:
      return random.between(200, 3'000);
    case 3:
      return random.chance(20) ? random.between(3'000, 20'000) : 192;
    default:
      return random.between(8, 192);
  }
}

Op draw_op(Random& random, uint32_t channels) {
  Op op;
  op.kind = draw_kind(random);
  op.patience = static_cast<Patience>(random.below(3));
  op.object = static_cast<uint8_t>(random.below(op.kind == OpKind::kLock ? kLocks : channels));
  op.number = draw_bytes(random);
  return op;
}

WorkerPlan draw_worker(Random& random, uint32_t channels) {
  WorkerPlan worker;
  const uint32_t length = random.between(6, 36);
  for (uint32_t i = 0; i < length; ++i) worker.ops.push_back(draw_op(random, channels));
  worker.has_bell = random.chance(30);
  worker.leaves_open = random.chance(30);
  return worker;
}

void draw_fate(Random& random, WorkerPlan& worker) {
  const uint32_t dice = random.below(100);
  worker.fate = dice < 70   ? Fate::kKilled
                : dice < 80 ? Fate::kShot
                : dice < 90 ? Fate::kStopped
                            : Fate::kStoppedKilled;
  const auto length = static_cast<uint32_t>(worker.ops.size());
  worker.point = 1 + random.below(kPointsOfAttachment + kPointsOfAnOperation * length);
  worker.delay_us = random.between(100, worker.fate == Fate::kShot ? 3'000 : 20'000);
}

__attribute__((format(printf, 2, 3))) void print(std::string& to, const char* format, ...) {
  char text[200];
  va_list list;
  va_start(list, format);
  ::vsnprintf(text, sizeof(text), format, list);
  va_end(list);
  to += text;
}

template <typename Enum, size_t N>
const char* pick(const char* const (&names)[N], Enum value) {
  return names[static_cast<size_t>(value)];
}

}  // namespace

RunPlan plan_of(uint64_t seed) {
  Random random(seed * 0x2545f4914f6cdd1dull + 1);
  RunPlan plan;
  plan.seed = seed;
  plan.limit_bytes = 64ull << 10 << random.between(1, 4);
  const uint32_t channels = random.between(1, kChannelsMax);
  for (uint32_t i = 0; i < channels; ++i) {
    ChannelPlan channel;
    channel.capacity = random.chance(30) ? random.between(1, 3) : random.between(4, 40);
    channel.block_bytes = 64 * random.between(0, 3);
    channel.prefill = random.below(channel.capacity + 1) / 2;
    channel.end_of_stream = random.chance(25);
    channel.payload_pool = random.chance(25);
    plan.channels.push_back(channel);
  }
  const uint32_t workers = random.between(2, kWorkersMax);
  for (uint32_t i = 0; i < workers; ++i) plan.workers.push_back(draw_worker(random, channels));
  draw_fate(random, plan.workers[random.below(workers)]);
  plan.recovery = static_cast<Recovery>(random.below(3));
  plan.recovery_delay_us = random.below(5'000);
  if (random.chance(20)) {
    plan.second = random.chance(60) ? SecondVictim::kReclaimer : SecondVictim::kSurvivor;
    plan.second_point = 1 + random.below(plan.second == SecondVictim::kReclaimer ? 300 : 60);
  }
  return plan;
}

const char* name_of(OpKind kind) {
  return kNames[static_cast<size_t>(kind)];
}

std::string text_of(const RunPlan& plan) {
  std::string text;
  print(text, "seed %llu: pool of %llu bytes; recovery %s after %u us; second victim %s at %llu\n",
        static_cast<unsigned long long>(plan.seed),
        static_cast<unsigned long long>(plan.limit_bytes), pick(kRecoveries, plan.recovery),
        plan.recovery_delay_us, pick(kSeconds, plan.second),
        static_cast<unsigned long long>(plan.second_point));
  for (size_t i = 0; i < plan.channels.size(); ++i) {
    const ChannelPlan& channel = plan.channels[i];
    print(text, "  channel %zu: capacity %u, block %u, %u messages%s%s\n", i, channel.capacity,
          channel.block_bytes, channel.prefill, channel.end_of_stream ? ", ends" : "",
          channel.payload_pool ? ", with a payload pool" : "");
  }
  for (size_t i = 0; i < plan.workers.size(); ++i) {
    const WorkerPlan& worker = plan.workers[i];
    print(text, "  worker %zu %s, point %llu, %u us:", i + 1, pick(kFates, worker.fate),
          static_cast<unsigned long long>(worker.point), worker.delay_us);
    for (size_t at = 0; at < worker.ops.size(); ++at) {
      const Op& op = worker.ops[at];
      print(text, "%s%zu %s(%u, %s, %u)", at % 6 == 0 ? "\n    " : "  ", at, name_of(op.kind),
            op.object, pick(kPatience, op.patience), op.number);
    }
    text += '\n';
  }
  return text;
}

}  // namespace dragon::proof
