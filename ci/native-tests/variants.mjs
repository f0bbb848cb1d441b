/**
 * The ways in which the native tests are compiled.
 *
 * `plain` numbers every store to shared memory as a kill point, and counts executed lines for
 * `npm run coverage`; `tsan` and `asan` leave kill points out, since a killed process has no
 * report to write.
 */

/** What the compiler gets for every file; binding.gyp says the same for the product. */
export const commonFlags = [
  '-std=c++20',
  '-g1',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-pthread',
  ...(process.arch === 'x64' ? ['-march=x86-64-v2'] : []),
  '-Inative/include',
  '-Inative',
];

/** What the core needs of the system, named behind the objects that need it. */
export const libraries = ['-lcrypto'];

/** The core as the product has it, but quicker to compile. */
const coreFlags = ['-O1', '-fno-exceptions'];

/** Tests are compiled more often than they run. doctest leaves a case by an exception. */
export const testFlags = ['-O0'];

/** What native/fuzz answers instead of Linux. */
const fuzzedCalls = [
  'accept4 bind close epoll_create1 epoll_ctl epoll_wait fcntl fstat geteuid getsockopt listen',
  'mmap munmap poll pread recv recvmsg sendmsg socket',
].flatMap((line) => line.split(' '));

/**
 * `core` and `test` take the place of the flags above.
 *
 * @typedef {object} Variant
 * @property {readonly string[]} flags
 * @property {readonly string[]} [core]
 * @property {readonly string[]} [test]
 * @property {readonly string[]} [link]
 * @property {Record<string, string>} env
 */

/** @type {Record<string, Variant>} */
export const variants = {
  plain: {
    flags: ['-DDRAGON_KILL_POINTS', '--coverage', '-fprofile-update=atomic'],
    env: {},
  },
  tsan: {
    flags: ['-fsanitize=thread'],
    env: { TSAN_OPTIONS: 'halt_on_error=1 second_deadlock_stack=1' },
  },
  asan: {
    flags: ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
    env: { ASAN_OPTIONS: 'detect_stack_use_after_return=1', UBSAN_OPTIONS: 'print_stacktrace=1' },
  },
  // For ci/fuzz, with clang.
  fuzz: {
    flags: [
      '-fsanitize=fuzzer,address,undefined',
      '-fno-sanitize-recover=all',
      '-fsanitize-coverage-ignorelist=ci/fuzz/uncounted',
      '-fprofile-instr-generate',
      '-fcoverage-mapping',
      '-Wno-unused-private-field',
    ],
    core: ['-O2', '-fno-exceptions'],
    test: ['-O2', '-fno-exceptions'],
    link: fuzzedCalls.map((name) => `-Wl,--wrap=${name}`),
    // An execution is over long before so much was freed, and its stack is short.
    env: { ASAN_OPTIONS: 'quarantine_size_mb=1:malloc_context_size=5' },
  },
};

/** The variants of a test run. */
export const variantNames = ['plain', 'tsan', 'asan'];

/** @param {string} name */
export function variantOf(name) {
  const variant = variants[name];
  if (variant === undefined) throw new Error(`there is no variant ${name}`);
  return {
    flags: [...commonFlags, ...variant.flags],
    core: variant.core ?? coreFlags,
    test: variant.test ?? testFlags,
    link: variant.link ?? [],
    env: variant.env,
  };
}
