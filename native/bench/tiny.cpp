// The smallest program that can be started: what `floor.spawn` starts and reaps.

int main() {
  return 0;
}
