// The plans of the kill-point driver.
// variants: plain
#include "proof/script.h"

#include <doctest/doctest.h>

#include <set>

using namespace dragon::proof;

TEST_CASE("a seed gives the same plan, another seed another one [PRF-001]") {
  std::set<std::string> texts;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const std::string text = text_of(plan_of(seed));
    CHECK(text == text_of(plan_of(seed)));
    CHECK(text.find("seed " + std::to_string(seed) + ":") == 0);
    texts.insert(text);
  }
  CHECK(texts.size() == 50);
}

TEST_CASE("one process dies or is stopped, in a fifth of the runs another one dies [PRF-002]") {
  std::set<Fate> fates;
  std::set<OpKind> kinds;
  std::set<Recovery> recoveries;
  int seconds = 0;
  for (uint64_t seed = 1; seed <= 1'000; ++seed) {
    const RunPlan plan = plan_of(seed);
    int victims = 0;
    for (const WorkerPlan& worker : plan.workers) {
      fates.insert(worker.fate);
      victims += worker.fate == Fate::kLives ? 0 : 1;
      for (const Op& op : worker.ops) kinds.insert(op.kind);
    }
    CHECK(victims == 1);
    recoveries.insert(plan.recovery);
    seconds += plan.second == SecondVictim::kNobody ? 0 : 1;
  }
  CHECK(fates.size() == 5);
  CHECK(kinds.size() == kOpKinds);
  CHECK(recoveries.size() == 3);
  CHECK(seconds > 150);
  CHECK(seconds < 250);
}
