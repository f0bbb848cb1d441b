/**
 * House rules about the text of a file: its size, its lines, its words.
 */
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { root } from '../process.mjs';
import { isTest } from './kinds.mjs';

const fileLinesMax = 500;
const lineColumnsMax = 100;

/** Written apart, so that this file does not find itself. */
const banned = ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK', 'not implemented' + ' yet'];
const bannedPattern = new RegExp(`\\b(${banned.join('|')})\\b|^(<{7}|>{7}) `);

const machineFolders = ['/ro' + 'ot/', '/wo' + 'rk/', '/ho' + 'me/', 'bash_' + 'jobs'];

/** Folders that every machine has, where a tree may well lie. */
const everywhere = /^\/?(tmp|usr|var|opt|srv|mnt|run)?$/;

/** @param {import('../tree.mjs').SourceFile} file */
export function fileSize({ path, text }) {
  const lines = text.split('\n').length - 1;
  return lines > fileLinesMax ? [`${path}: ${lines} lines, the limit is ${fileLinesMax}`] : [];
}

/** @param {import('../tree.mjs').SourceFile} file */
export function lineLength({ path, text }) {
  return text.split('\n').flatMap((line, index) => {
    const columns = [...line].length;
    return columns > lineColumnsMax ? [`${path}:${index + 1}: ${columns} columns`] : [];
  });
}

/**
 * A file says what it is for before it does anything. The sources of `x.h` are explained there.
 * @param {import('../tree.mjs').SourceFile} file
 */
export function headerComment({ path, text }) {
  // `':'` lets a shell script and JavaScript be one file: bin/dragon.
  const start = text
    .replace(/^#!.*\n/, '')
    .replace(/^':' /, '')
    .trimStart();
  const ownHeader = `#include "${path.replace(/^native\//, '').replace(/\.cpp$/, '.h')}"`;
  const isExplained = /^(\/\*|\/\/)/.test(start) || start.startsWith(ownHeader) || isTest(path);
  return isExplained ? [] : [`${path}:1: no header comment`];
}

/**
 * Words that promise work, and what a merge leaves where two sides differ.
 * @param {import('../tree.mjs').SourceFile} file
 */
export function bannedWords({ path, text }) {
  return matchingLines(path, text, (line) => bannedPattern.exec(line)?.[0], 'the word');
}

/**
 * Paths of the machine that a file was written on.
 * @param {import('../tree.mjs').SourceFile} file
 */
export function machinePaths({ path, text }) {
  const own = [root, dirname(root), homedir()].filter((folder) => !everywhere.test(folder));
  const folders = [...machineFolders, ...own.map((folder) => `${folder}/`)];
  /** @param {string} line */
  const find = (line) => folders.find((folder) => hasPath(line, folder));
  return matchingLines(path, text, find, 'the machine path');
}

/**
 * A path stands alone: `network/` holds no path of a machine.
 * @param {string} line
 * @param {string} folder
 */
function hasPath(line, folder) {
  const index = line.indexOf(folder);
  return index >= 0 && !/[\w.)}\]*-]/.test(line[index - 1] ?? ' ');
}

/**
 * @param {string} path
 * @param {string} text
 * @param {(line: string) => string | undefined} find
 * @param {string} what
 */
function matchingLines(path, text, find, what) {
  return text.split('\n').flatMap((line, index) => {
    const found = find(line);
    return found === undefined ? [] : [`${path}:${index + 1}: ${what} ${found}`];
  });
}
