import { randomBelow } from '../base/random.ts';

/** A name for a container nobody named: an adjective and something with a hull, `brisk_caravel`. */
export function randomName(): string {
  return `${pick(ADJECTIVES)}_${pick(VESSELS)}${randomBelow(100)}`;
}

function pick(words: readonly string[]): string {
  return words[randomBelow(words.length)] ?? 'plain';
}

const ADJECTIVES = (
  'able agile amber ample azure bold brave brisk calm candid clear clever cosy crisp daring deft eager early easy ' +
  'even fair fast fleet fond frank free fresh gentle glad golden grand happy hardy honest jolly keen kind lively ' +
  'loyal lucid lucky mellow merry mild modest neat nimble noble patient plain polite proud prudent quick quiet ' +
  'ready robust sage serene sharp silver sleek smart snug sober solid steady still strong sunny sure swift tidy ' +
  'trim true trusty upbeat valiant vivid warm wise witty zesty'
).split(' ');

const VESSELS = (
  'barge bark brig canoe caravel carrack catboat clipper cog coracle corvette currach cutter dhow dinghy dory ' +
  'felucca ferry flyboat frigate galleon galley gig gondola hulk hoy jolly junk kayak keelboat ketch knarr lateen ' +
  'launch lighter longboat longship lugger packet pinnace pram punt raft sampan schooner scow shallop skiff sloop ' +
  'smack snow tender tjalk trawler trimaran tug umiak wherry whaler xebec yacht yawl'
).split(' ');
