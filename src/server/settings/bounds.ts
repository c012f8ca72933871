import { LIMITS, type Limits } from '../../model/stimulus.ts';
import type { Config } from '../config.ts';
import { TABLE } from './table.ts';

/* The bounds of a step: which of them are settings, and what docs/operating.md says of each (`npm run docs` writes its table). */

type NumberSetting = { [Key in keyof Config]: Config[Key] extends number ? Key : never }[keyof Config];
type Bound = {
  readonly about: string;
  /** What happens beyond it. */
  readonly beyond: string;
  /** Absent: it is a constant. */
  readonly setting?: NumberSetting;
};

const ERROR = '`LimitExceeded`';
const TURN = 'the rest takes its turn';

/** All but what histories tell, which is no bound. */
type BoundName = Exclude<keyof Limits, 'flowEntries' | 'givenCharacters'>;

/** Characters of what somebody gave that a history keeps. */
const GIVEN_CHARACTERS = 8_192;

export const BOUNDS: { readonly [Name in BoundName]: Bound } = {
  messages: { about: 'inner messages of one step', beyond: TURN, setting: 'stepMessagesMax' },
  work: { about: 'characters and elements one step reads, copies and writes', beyond: TURN, setting: 'stepWorkMax' },
  messageWork: {
    about:
      'the same for one inner message, which cannot be divided; four times `FIELDS_CHARACTERS_MAX` where that is more',
    beyond: ERROR,
  },
  expressions: { about: 'live expressions of one workflow', beyond: ERROR, setting: 'expressionsMax' },
  listeners: {
    about: 'expressions of one workflow that listen at once; and those that wait for events',
    beyond: ERROR,
    setting: 'listenersMax',
  },
  answers: {
    about: 'answers kept for a workflow while it is paused, within what it may keep',
    beyond: '503 `overloaded` until it is resumed',
  },
  fieldsCharacters: {
    about: 'characters of the fields of a workitem as JSON, and of a list that an iterator goes through',
    beyond: ERROR,
    setting: 'fieldsCharactersMax',
  },
  variablesCharacters: {
    about: 'characters of the variables of one scope as JSON, names included',
    beyond: ERROR,
    setting: 'variablesCharactersMax',
  },
  mergeCharacters: {
    about: 'characters of what the branches of one concurrence replied with, as it waits to be merged',
    beyond: ERROR,
    setting: 'mergeCharactersMax',
  },
  keptCharacters: {
    about: 'characters of all that the branches and variables of one workflow keep',
    beyond: ERROR,
    setting: 'keptCharactersMax',
  },
  valueDepth: {
    about: 'lists and objects inside each other in a field or variable',
    beyond: ERROR,
    setting: 'valueDepthMax',
  },
  finishedPerLoad: {
    about: 'finished branches loaded at a time to be merged, and side activities told to stop',
    beyond: 'the others follow',
  },
  depth: {
    about: 'nesting of expressions at run time (sub-processes that call each other)',
    beyond: ERROR,
    setting: 'nestingMax',
  },
  nameBytes: { about: 'bytes of the name of a variable, tag or participant', beyond: ERROR },
  errorCharacters: { about: 'characters of the message of an error', beyond: 'the rest is cut' },
  hops: {
    about: 'events that lead to each other, one by way of the next',
    beyond: `${ERROR}; from outside 422 \`event_loop\``,
    setting: 'eventHopsMax',
  },
  pastTags: { about: 'entries of `__past_tags__`', beyond: 'the oldest go first' },
  pastTagsCharacters: { about: 'characters of all of them', beyond: 'the oldest go first' },
};

const NAMES = Object.keys(BOUNDS) as BoundName[];

/** The bounds as they are set. */
export function boundsOf(config: Config): Limits {
  const set = NAMES.flatMap((name) => {
    const { setting } = BOUNDS[name];
    return setting === undefined ? [] : [[name, config[setting]] as const];
  });
  const bounds: Limits = {
    ...LIMITS,
    flowEntries: config.historyFlows ? 1 : 0,
    givenCharacters: config.historyFields === 'given' ? GIVEN_CHARACTERS : 0,
    ...Object.fromEntries(set),
  };
  // A message reads fields, copies them, and writes them.
  return { ...bounds, messageWork: Math.max(LIMITS.messageWork, 4 * bounds.fieldsCharacters) };
}

/** The table of docs/operating.md. */
export function boundsTable(): string {
  const row = (name: BoundName): string => {
    const { about, beyond, setting } = BOUNDS[name];
    return `| ${about} | ${LIMITS[name].toLocaleString('en-US')} | ${setting === undefined ? 'constant' : `\`${TABLE[setting].name}\``} | ${beyond} |`;
  };
  return ['| | Default | Setting | Beyond it |', '|---|---|---|---|', ...NAMES.map(row)].join('\n');
}
