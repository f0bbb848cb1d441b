/** The flags that the programs of `native/bench` are compiled with; results name them. */
const march = process.arch === 'x64' ? ['-march=x86-64-v2'] : [];

export const compilerFlags = ['-std=c++20', '-O2', ...march, '-fno-exceptions', '-fno-rtti'];
