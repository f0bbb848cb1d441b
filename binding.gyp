{
  'variables': {
    # Warnings stop the build of a clone; an installation uses whatever compiler it finds.
    'dragon_werror%': 1,
  },
  'target_defaults': {
    'include_dirs': ['native', 'native/include'],
    # Line tables are what a backtrace shows; more of it takes a third of the compiler's time.
    'cflags': ['-O2', '-g1', '-Wall', '-Wextra', '-fvisibility=hidden'],
    'cflags!': ['-O3', '-fno-omit-frame-pointer'],
    'cflags_cc!': ['-std=gnu++14', '-std=gnu++17', '-std=gnu++20', '-fno-rtti'],
    'cflags_cc': ['-std=c++20', '-fno-exceptions'],
    'conditions': [
      ['target_arch=="x64"', {'cflags': ['-march=x86-64-v2']}],
      ['dragon_werror==1', {'cflags': ['-Werror']}],
    ],
  },
  'targets': [
    {
      # What all of them share is compiled once, and the warden gets no more than this.
      'target_name': 'dragon_rooms',
      'type': 'static_library',
      'sources': ['<!@(node ci/sources.mjs rooms)'],
      'cflags': ['-fPIC', '-ffunction-sections', '-fdata-sections'],
    },
    {
      # What addon and library share besides.
      'target_name': 'dragon_core',
      'type': 'static_library',
      'sources': ['<!@(node ci/sources.mjs core)'],
      'cflags': ['-fPIC'],
    },
    {
      'target_name': 'dragon_native',
      'dependencies': ['dragon_core', 'dragon_rooms'],
      'sources': ['<!@(node ci/sources.mjs addon)'],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS'],
      # A symbol that is missing fails the load, and not some later call.
      'ldflags': ['-Wl,-z,now'],
    },
    {
      # The C interface. The file's name is the soname: it changes with the major version.
      'target_name': 'dragon_library',
      'type': 'shared_library',
      'product_prefix': 'lib',
      'product_name': 'dragon',
      'product_extension': 'so.1',
      'product_dir': '<(PRODUCT_DIR)',
      'dependencies': ['dragon_core', 'dragon_rooms'],
      'sources': ['<!@(node ci/sources.mjs library)'],
      'cflags': ['-fPIC'],
      'ldflags': [
        '-Wl,-z,now', '-Wl,-z,defs',
        '-Wl,--version-script=<(module_root_dir)/native/c/libdragon.map',
      ],
    },
    {
      'target_name': 'dragon-warden',
      'type': 'executable',
      'dependencies': ['dragon_rooms'],
      'sources': ['<!@(node ci/sources.mjs warden)'],
      'cflags': ['-ffunction-sections', '-fdata-sections'],
      'ldflags': ['-static', '-Wl,--gc-sections'],
    },
    {
      'target_name': 'dragon-agent',
      'type': 'executable',
      'dependencies': ['dragon_core', 'dragon_rooms'],
      'sources': ['<!@(node ci/sources.mjs agent)'],
      'ldflags': ['-pthread', '-Wl,-z,now'],
      'libraries': ['-lcrypto'],
    },
  ],
}
