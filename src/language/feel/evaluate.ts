import { arithmetic, negated } from './arithmetic.ts';
import { callFunction } from './call.ts';
import { contextOf, type FeelScope, ownFeel } from './scope.ts';
import {
  dateOfDay,
  dayNumber,
  FeelDate,
  FeelDateTime,
  FeelDays,
  FeelMonths,
  FeelTime,
  NANOS_OF_SECOND,
  offsetOf,
  parseTemporal,
  weekday,
} from './temporal.ts';
import type { Feel, FeelType, Iteration, Test } from './tree.ts';
import {
  equal,
  FeelRange,
  type FeelValue,
  isContext,
  isList,
  kindOf,
  NO_END,
  ordered,
  shown,
  within,
  wrong,
} from './values.ts';

/*
 * The walk over a FEEL tree. What the standard quietly calls null is an error here (docs/bpmn.md, "Typed"); null is left where a thing
 * is simply not there.
 */

const inner = (scope: FeelScope, names: ReadonlyMap<string, FeelValue>): FeelScope => ({
  ...scope,
  lookup: (name) => names.get(name) ?? (names.has(name) ? null : scope.lookup(name)),
});

/** Throws a LanguageError: ExpressionError, LimitExceeded. */
export function evaluate(tree: Feel, scope: FeelScope): FeelValue {
  scope.fuel.spend(1);
  switch (tree.kind) {
    case 'literal':
      return tree.value;
    case 'temporal': {
      const value = parseTemporal(tree.text);
      if (value === null) throw wrong(`@${JSON.stringify(tree.text)} is no date, time or duration`);
      return value;
    }
    case 'name':
      return scope.lookup(tree.name) ?? null;
    case 'list':
      return tree.items.map((item) => evaluate(item, scope));
    case 'context':
      return context(tree.entries, scope);
    case 'range':
      return range(tree, scope);
    case 'negate':
      return negated(operand(tree.of, scope));
    case 'arithmetic': {
      const left = operand(tree.left, scope);
      const right = operand(tree.right, scope);
      if (typeof left === 'string' && typeof right === 'string') scope.fuel.characters(left.length + right.length);
      return arithmetic(tree.sign, left, right);
    }
    case 'compare':
      return compare(tree.sign, tree.left, tree.right, scope);
    case 'logic':
      return logic(tree.sign, tree.left, tree.right, scope);
    case 'between': {
      const value = operand(tree.of, scope);
      return ordered(value, operand(tree.low, scope)) >= 0 && ordered(value, operand(tree.high, scope)) <= 0;
    }
    case 'in':
      return isIn(evaluate(tree.of, scope), tree.tests, scope);
    case 'instance':
      return isOf(evaluate(tree.of, scope), tree.type);
    case 'if': {
      const when = evaluate(tree.when, scope);
      if (when !== true && when !== false && when !== null)
        throw wrong(`the condition of "if" gave ${shown(when)}, neither true nor false`);
      return evaluate(when === true ? tree.then : tree.otherwise, scope);
    }
    case 'for':
      return loop(tree.over, tree.give, scope);
    case 'some':
    case 'every':
      return quantified(tree.kind, tree.over, tree.give, scope);
    case 'path':
      return property(evaluate(tree.of, scope), tree.name, scope);
    case 'filter':
      return filter(evaluate(tree.of, scope), tree.by, scope);
    case 'call':
      return callFunction(tree, scope, evaluate);
  }
}

/** A value something is to be computed of: a variable that is missing is named. */
function operand(tree: Feel, scope: FeelScope): FeelValue {
  const value = evaluate(tree, scope);
  if (value === null && tree.kind === 'name' && scope.lookup(tree.name) === undefined)
    throw wrong(`there is no variable ${tree.name}`);
  return value;
}

function context(entries: readonly (readonly [string, Feel])[], scope: FeelScope): FeelValue {
  const names = new Map<string, FeelValue>();
  const within = inner(scope, names);
  for (const [key, tree] of entries) names.set(key, evaluate(tree, within));
  return contextOf(names);
}

function range(tree: Extract<Feel, { kind: 'range' }>, scope: FeelScope): FeelValue {
  const from = tree.from === null ? NO_END : evaluate(tree.from, scope);
  const to = tree.to === null ? NO_END : evaluate(tree.to, scope);
  if (tree.from !== null && tree.to !== null && from !== null && to !== null && typeof from !== 'boolean')
    ordered(from, to);
  return new FeelRange(from, to, tree.left, tree.right);
}

function compare(sign: string, leftTree: Feel, rightTree: Feel, scope: FeelScope): FeelValue {
  if (sign === '=' || sign === '!=') {
    const left = evaluate(leftTree, scope);
    const right = evaluate(rightTree, scope);
    const same = equal(left, right);
    scope.fuel.spend(sizeOf(left));
    if (same === undefined) {
      if (scope.filtering) return null;
      throw wrong(`${shown(left)} and ${shown(right)} cannot be compared`);
    }
    return same === (sign === '=');
  }
  if (scope.filtering) {
    const left = evaluate(leftTree, scope);
    const right = evaluate(rightTree, scope);
    return left === null || right === null ? null : holds(sign, ordered(left, right));
  }
  return holds(sign, ordered(operand(leftTree, scope), operand(rightTree, scope)));
}

const holds = (sign: string, order: number): boolean =>
  sign === '<' ? order < 0 : sign === '<=' ? order <= 0 : sign === '>' ? order > 0 : order >= 0;

const sizeOf = (value: FeelValue): number =>
  isList(value) ? value.length : isContext(value) ? Object.keys(value).length : 0;

/** Three-valued; what is no boolean counts as null. */
function logic(sign: 'and' | 'or', left: Feel, right: Feel, scope: FeelScope): FeelValue {
  const decisive = sign === 'or';
  const a = evaluate(left, scope);
  if (a === decisive) return decisive;
  const b = evaluate(right, scope);
  if (b === decisive) return decisive;
  return a === !decisive && b === !decisive ? !decisive : null;
}

function isIn(value: FeelValue, tests: readonly Test[], scope: FeelScope): FeelValue {
  for (const test of tests) {
    if (test.kind === 'compare') {
      const other = evaluate(test.with, scope);
      if (test.sign === '=' || test.sign === '!=') {
        if ((equal(value, other) === true) === (test.sign === '=')) return true;
      } else if (other !== null && value !== null && holds(test.sign, ordered(value, other))) return true;
      else if (other === null || value === null) throw wrong(`${shown(value)} and ${shown(other)} have no order`);
    } else if (fits(value, evaluate(test.of, scope), scope)) return true;
  }
  return false;
}

function fits(value: FeelValue, test: FeelValue, scope: FeelScope): boolean {
  scope.fuel.spend(1);
  if (test instanceof FeelRange && !(value instanceof FeelRange)) return within(value, test);
  if (test === true && typeof value !== 'boolean') return true;
  if (equal(value, test) === true) return true;
  return isList(test) && test.some((item) => fits(value, item, scope));
}

function isOf(value: FeelValue, type: FeelType): boolean {
  if (value === null) return type.name === 'null' || type.name === 'Null';
  if (type.name === 'Any') return true;
  const kind = kindOf(value);
  if (kind !== type.name) return false;
  if (isList(value)) return type.of[0] === undefined || value.every((item) => isOf(item, type.of[0] as FeelType));
  if (value instanceof FeelRange) {
    const [of] = type.of;
    return of === undefined || [value.from, value.to].every((end) => end === NO_END || isOf(end, of));
  }
  if (!isContext(value)) return true;
  return type.keys.every((key, i) => {
    const item = ownFeel(value, key);
    return item !== undefined && (item === null || isOf(item, type.of[i] as FeelType));
  });
}

/** Elements of one iteration over a range. */
function counted(from: FeelValue, to: FeelValue, scope: FeelScope): FeelValue[] {
  const days = from instanceof FeelDate && to instanceof FeelDate;
  const numbers = Number.isInteger(from) && Number.isInteger(to);
  if (!days && !numbers) throw wrong(`${shown(from)}..${shown(to)} cannot be counted through`);
  const [first, last] = days ? [dayNumber(from), dayNumber(to)] : [from as number, to as number];
  const length = Math.abs(last - first) + 1;
  scope.fuel.spend(length);
  const step = last < first ? -1 : 1;
  return Array.from({ length }, (_, i) => (days ? dateOfDay(first + i * step) : first + i * step));
}

function elements({ from, to }: Iteration, scope: FeelScope): readonly FeelValue[] {
  const first = evaluate(from, scope);
  if (to !== null) return counted(first, evaluate(to, scope), scope);
  if (isList(first)) return first;
  if (first instanceof FeelRange) {
    const { from: low, to: high } = first;
    if (low === NO_END || high === NO_END || ordered(low, high) > 0)
      throw wrong(`${shown(first)} cannot be counted through`);
    return counted(low, high, scope).filter((each) => within(each, first));
  }
  throw wrong(`${shown(first)} is no list`);
}

/** Calls `visit` for every combination, the last name moving fastest; stops when it answers true. */
function iterate(
  over: readonly Iteration[],
  at: number,
  scope: FeelScope,
  names: Map<string, FeelValue>,
  visit: () => boolean,
): boolean {
  const each = over[at];
  if (each === undefined) return visit();
  for (const element of elements(each, inner(scope, names))) {
    scope.fuel.spend(1);
    names.set(each.name, element);
    if (iterate(over, at + 1, scope, names, visit)) return true;
  }
  names.delete(each.name);
  return false;
}

function loop(over: readonly Iteration[], give: Feel, scope: FeelScope): FeelValue {
  const given: FeelValue[] = [];
  const names = new Map<string, FeelValue>();
  const own = inner(scope, names);
  iterate(over, 0, scope, names, () => {
    names.set('partial', given);
    given.push(evaluate(give, own));
    return false;
  });
  return given;
}

function quantified(kind: 'some' | 'every', over: readonly Iteration[], give: Feel, scope: FeelScope): FeelValue {
  const names = new Map<string, FeelValue>();
  const own = inner(scope, names);
  const stop = kind === 'some';
  const stopped = iterate(over, 0, scope, names, () => {
    const value = evaluate(give, own);
    if (typeof value !== 'boolean') throw wrong(`"satisfies" gave ${shown(value)}, neither true nor false`);
    return value === stop;
  });
  return stopped ? stop : !stop;
}

function filter(value: FeelValue, by: Feel, scope: FeelScope): FeelValue {
  const list = isList(value) ? value : value === null ? [] : [value];
  const constant = by.kind === 'literal' || by.kind === 'negate' ? evaluate(by, scope) : undefined;
  if (typeof constant === 'number') return at(list, constant);
  const kept: FeelValue[] = [];
  for (const [index, item] of list.entries()) {
    scope.fuel.spend(1);
    const own: FeelScope = {
      ...scope,
      filtering: true,
      lookup: (name) => {
        if (name === 'item') return ownFeel(item, 'item') ?? item;
        const found = ownFeel(item, name);
        if (found !== undefined) return found;
        return isContext(item) && SPECIAL.has(name) ? null : scope.lookup(name);
      },
    };
    const verdict = evaluate(by, own);
    // An index that is computed: the same for every element.
    if (typeof verdict === 'number' && index === 0) return at(list, verdict);
    if (verdict === true) kept.push(item);
    else if (verdict !== false && verdict !== null)
      throw wrong(`the filter gave ${shown(verdict)}, neither true nor false`);
  }
  return kept;
}
const SPECIAL: ReadonlySet<string> = new Set(['__proto__']);

/** Null beyond the list. */
function at(list: readonly FeelValue[], index: number): FeelValue {
  const place = Math.trunc(index);
  return list[place > 0 ? place - 1 : place < 0 ? list.length + place : -1] ?? null;
}

/** What stands behind a dot; null when it is not there. */
function property(value: FeelValue, name: string, scope: FeelScope): FeelValue {
  if (isList(value)) {
    scope.fuel.spend(value.length);
    return value.map((item) => property(item, name, scope));
  }
  if (value === null) return null;
  if (isContext(value)) return ownFeel(value, name) ?? null;
  const found = partOf(value, name);
  if (found === undefined) throw wrong(`${shown(value)} has no ${name}`);
  return found;
}

function partOf(value: FeelValue, name: string): FeelValue | undefined {
  if (value instanceof FeelRange) {
    if (name === 'start') return value.from === NO_END ? null : value.from;
    if (name === 'end') return value.to === NO_END ? null : value.to;
    if (name === 'start included') return value.left;
    return name === 'end included' ? value.right : undefined;
  }
  if (value instanceof FeelMonths) {
    const [years, months] = [Math.trunc(value.months / 12) + 0, (value.months % 12) + 0];
    return name === 'years' ? years : name === 'months' ? months : undefined;
  }
  if (value instanceof FeelDays) {
    const seconds = Number(value.nanos / BigInt(NANOS_OF_SECOND));
    if (name === 'days') return Math.trunc(seconds / 86_400) + 0;
    if (name === 'hours') return (Math.trunc(seconds / 3_600) % 24) + 0;
    if (name === 'minutes') return (Math.trunc(seconds / 60) % 60) + 0;
    return name === 'seconds' ? (seconds % 60) + 0 : undefined;
  }
  if (value instanceof FeelDate) return dateParts(value, name) ?? clockParts(new FeelTime(0, null), null, name);
  if (value instanceof FeelTime) return clockParts(value, offsetOf(value), name);
  if (value instanceof FeelDateTime)
    return dateParts(value.date, name) ?? clockParts(value.time, offsetOf(value), name);
  return undefined;
}

function dateParts(date: FeelDate, name: string): FeelValue | undefined {
  if (name === 'year') return date.year;
  if (name === 'month') return date.month;
  if (name === 'day') return date.day;
  return name === 'weekday' ? weekday(date) : undefined;
}

function clockParts(time: FeelTime, offset: number | null, name: string): FeelValue | undefined {
  const seconds = Math.floor(time.nanos / NANOS_OF_SECOND);
  if (name === 'hour') return Math.floor(seconds / 3_600);
  if (name === 'minute') return Math.floor(seconds / 60) % 60;
  if (name === 'second') return seconds % 60;
  if (name === 'timezone') return time.zone?.kind === 'name' ? time.zone.name : null;
  if (name === 'time offset') return offset === null ? null : new FeelDays(BigInt(offset) * BigInt(NANOS_OF_SECOND));
  return undefined;
}
