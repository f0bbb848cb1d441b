/**
 * The fuzz targets, and the functions that read bytes in each.
 *
 * Functions are named as the compiler mangles them, without arguments.
 */
import { join } from 'node:path';
import { fuzzSources } from '../sources.mjs';

export const buildFolder = 'build/fuzz';
const corpusFolder = 'native/proof/fixtures/corpus';

/**
 * Longer inputs only say the same again, and take longer.
 * @type {Record<string, number>}
 */
const inputBytesMax = {
  'memory.handle': 80,
  'memory.segment': 80,
  'memory.broker': 400,
  'fabric.links': 400,
  'process.frame': 400,
  'sync.node_segment': 400,
};

/** @type {Record<string, readonly string[]>} */
const parsers = {
  'memory.handle': ['13decode_handle', '17decode_handle_for'],
  'memory.segment': ['7Segment6attach', '20check_segment_header'],
  'memory.broker': ['15receive_message', '15take_descriptor', '6Broker6answer', '6Broker5serve'],
  'fabric.links': [
    '20decode_packet_header',
    '12valid_fields',
    '11valid_frame',
    '11FrameReader4next',
    '17decode_offer_head',
    '21decode_transfer_frame',
    '9Handshake4look',
    '9Handshake4read',
    '4Link9on_packet',
    '4Link8on_hello',
    '4Link11take_number',
    '4Link8on_frame',
    '4Link7on_bulk',
    '4Link9on_accept',
    '4Link7on_stop',
  ],
  'process.frame': [
    '7process6decode',
    '12valid_header',
    '6Reader',
    '11FrameSocket11read_header',
    '11FrameSocket4read',
    '11FrameSocket9make_room',
    '16take_descriptors',
  ],
  'sync.node_segment': [
    '11NodeSegment6attach',
    '11NodeSegment10well_known',
    '11NodeSegment14set_well_known',
    '20check_segment_header',
  ],
};

/**
 * @typedef {object} Target
 * @property {string} name
 * @property {string} source
 * @property {string} executable
 * @property {string} corpus the committed one
 * @property {string} found what campaigns on this machine have found
 * @property {readonly string[]} parsers
 * @property {number} inputBytesMax
 *
 * @returns {Target[]}
 */
export function targets() {
  return fuzzSources().map((source) => {
    const name = source.replace(/^native\/(.*)_fuzz\.cpp$/, '$1').replaceAll('/', '.');
    const own = parsers[name];
    const bytes = inputBytesMax[name];
    if (own === undefined || bytes === undefined)
      throw new Error(`${source}: its line in ci/fuzz/targets.mjs is missing`);
    return {
      name,
      source,
      executable: `${buildFolder}/fuzz/${name}`,
      corpus: join(corpusFolder, name),
      found: join(buildFolder, 'corpus', name),
      parsers: own,
      inputBytesMax: bytes,
    };
  });
}
