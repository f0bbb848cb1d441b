/** Lets a bare Node measure the floor of `native/bench/loop_floor.cpp`: loop-floor MODULE ... */
const [module = '', ...options] = process.argv.slice(2);
process.env['LOOP_FLOOR_OPTIONS'] = options.join(' ');
process.dlopen({ exports: {} }, module);
