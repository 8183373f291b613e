// What stands before a codec: no clock, no chance, no console; a Buffer as codecs of the field use it.
// Answers a function that finds the codec's entry and answers the caller of all three forms.
(() => {
  'use strict';
  const global = globalThis;
  const { parse, stringify } = JSON;
  const RealDate = global.Date;
  const isArray = Array.isArray;
  const isInteger = Number.isInteger;
  const { create, defineProperty, freeze, setPrototypeOf } = Object;
  const fromCharCode = String.fromCharCode;
  const { min } = Math;
  let now = 0;

  function FrozenDate(...parts) {
    if (!new.target) return new RealDate(now).toString();
    const made = parts.length === 0 ? new RealDate(now) : new RealDate(...parts);
    return setPrototypeOf(made, new.target.prototype);
  }
  FrozenDate.prototype = RealDate.prototype;
  FrozenDate.now = () => now;
  FrozenDate.UTC = RealDate.UTC;
  FrozenDate.parse = RealDate.parse;
  RealDate.prototype.constructor = FrozenDate;
  global.Date = FrozenDate;
  delete global.performance;
  Math.random = () => { throw new TypeError('a codec has no chance: Math.random is not there'); };
  const quiet = () => undefined;
  global.console = freeze({ log: quiet, info: quiet, warn: quiet, error: quiet, debug: quiet, trace: quiet });
  global.module = { exports: {} };
  global.exports = global.module.exports;

  const HEX = '0123456789abcdef';
  const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

  function bytesOfText(text, encoding) {
    const out = [];
    switch (encoding) {
      case 'hex':
        for (let at = 0; at + 1 < text.length; at += 2) {
          const value = parseInt(text.substr(at, 2), 16);
          if (value !== value) break;
          out.push(value);
        }
        return out;
      case 'base64': {
        let bits = 0;
        let count = 0;
        for (const char of text) {
          const value = BASE64.indexOf(char === '-' ? '+' : char === '_' ? '/' : char);
          if (value < 0) continue;
          bits = ((bits << 6) | value) & 0xffffff;
          count += 6;
          if (count >= 8) { count -= 8; out.push((bits >> count) & 255); }
        }
        return out;
      }
      case 'ascii':
      case 'latin1':
      case 'binary':
        for (let at = 0; at < text.length; at += 1) out.push(text.charCodeAt(at) & 255);
        return out;
      case undefined:
      case 'utf8':
      case 'utf-8':
        for (const char of text) {
          const code = char.codePointAt(0);
          if (code < 128) out.push(code);
          else if (code < 2048) out.push(192 | (code >> 6), 128 | (code & 63));
          else if (code < 65536) out.push(224 | (code >> 12), 128 | ((code >> 6) & 63), 128 | (code & 63));
          else out.push(240 | (code >> 18), 128 | ((code >> 12) & 63), 128 | ((code >> 6) & 63), 128 | (code & 63));
        }
        return out;
      default:
        throw new TypeError('Unknown encoding: ' + encoding);
    }
  }

  function textOfUtf8(bytes) {
    let text = '';
    for (let at = 0; at < bytes.length;) {
      const first = bytes[at];
      const more = first < 128 ? 0 : first >> 5 === 6 ? 1 : first >> 4 === 14 ? 2 : first >> 3 === 30 ? 3 : -1;
      let code = more <= 0 ? first : first & (63 >> more);
      let good = more >= 0 && at + more < bytes.length;
      for (let step = 1; good && step <= more; step += 1) {
        good = (bytes[at + step] & 192) === 128;
        code = (code << 6) | (bytes[at + step] & 63);
      }
      text += good ? String.fromCodePoint(min(code, 0x10ffff)) : '\ufffd';
      at += good ? more + 1 : 1;
    }
    return text;
  }

  class Buffer extends Uint8Array {
    static from(source, second, third) {
      if (typeof source === 'string') return Buffer.from(bytesOfText(source, second));
      if (source instanceof ArrayBuffer) return new Buffer(source, second, third);
      if (source && source.type === 'Buffer' && isArray(source.data)) return Buffer.from(source.data);
      const made = new Buffer(source.length);
      for (let at = 0; at < source.length; at += 1) made[at] = source[at];
      return made;
    }
    static alloc(size, fill) { return new Buffer(size).fill(fill === undefined ? 0 : fill); }
    static allocUnsafe(size) { return new Buffer(size); }
    static isBuffer(value) { return value instanceof Buffer; }
    static byteLength(text, encoding) { return typeof text === 'string' ? bytesOfText(text, encoding).length : text.length; }
    static concat(list) {
      let size = 0;
      for (const one of list) size += one.length;
      const made = new Buffer(size);
      let at = 0;
      for (const one of list) { made.set(one, at); at += one.length; }
      return made;
    }
    slice(first, end) { return this.subarray(first, end); }
    equals(other) {
      if (other.length !== this.length) return false;
      for (let at = 0; at < this.length; at += 1) if (this[at] !== other[at]) return false;
      return true;
    }
    copy(target, to = 0, first = 0, end = this.length) {
      const part = this.subarray(first, min(end, first + target.length - to));
      target.set(part, to);
      return part.length;
    }
    write(text, at = 0, size, encoding) {
      const bytes = bytesOfText(text, typeof size === 'string' ? size : encoding);
      const count = min(bytes.length, this.length - at, typeof size === 'number' ? size : Infinity);
      for (let step = 0; step < count; step += 1) this[at + step] = bytes[step];
      return count;
    }
    toString(encoding, first = 0, end = this.length) {
      const part = this.subarray(first, end);
      let text = '';
      switch (encoding) {
        case 'hex':
          for (const byte of part) text += HEX[byte >> 4] + HEX[byte & 15];
          return text;
        case 'base64':
          for (let at = 0; at < part.length; at += 3) {
            const left = part.length - at;
            const bits = (part[at] << 16) | ((left > 1 ? part[at + 1] : 0) << 8) | (left > 2 ? part[at + 2] : 0);
            text += BASE64[bits >> 18] + BASE64[(bits >> 12) & 63];
            text += left > 1 ? BASE64[(bits >> 6) & 63] : '=';
            text += left > 2 ? BASE64[bits & 63] : '=';
          }
          return text;
        case 'ascii':
          for (const byte of part) text += fromCharCode(byte & 127);
          return text;
        case 'latin1':
        case 'binary':
          for (const byte of part) text += fromCharCode(byte);
          return text;
        case undefined:
        case 'utf8':
        case 'utf-8':
          return textOfUtf8(part);
        default:
          throw new TypeError('Unknown encoding: ' + encoding);
      }
    }
    toJSON() { return { type: 'Buffer', data: Array.from(this) }; }
    readUIntBE(at, size) { return whole(this, at, size, false); }
    readUIntLE(at, size) { return whole(this, at, size, true); }
    readIntBE(at, size) { return signed(whole(this, at, size, false), size); }
    readIntLE(at, size) { return signed(whole(this, at, size, true), size); }
    writeUIntBE(value, at, size) { return put(this, value, at, size, false); }
    writeUIntLE(value, at, size) { return put(this, value, at, size, true); }
    writeIntBE(value, at, size) { return put(this, value, at, size, false); }
    writeIntLE(value, at, size) { return put(this, value, at, size, true); }
  }

  function check(buffer, at, size) {
    if (!isInteger(at) || at < 0 || at + size > buffer.length) {
      throw new RangeError('The value of "offset" is out of range: ' + at + ' and ' + size + ' bytes of ' + buffer.length);
    }
  }

  function whole(buffer, at = 0, size, little) {
    check(buffer, at, size);
    let value = 0;
    for (let step = 0; step < size; step += 1) value = value * 256 + buffer[little ? at + size - 1 - step : at + step];
    return value;
  }

  function signed(value, size) {
    const half = 2 ** (8 * size - 1);
    return value >= half ? value - 2 * half : value;
  }

  function put(buffer, value, at = 0, size, little) {
    check(buffer, at, size);
    const top = 2 ** (8 * size);
    if (!(value < top && value >= -top / 2)) throw new RangeError('The value of "value" is out of range: ' + value);
    let left = value < 0 ? value + top : value;
    for (let step = 0; step < size; step += 1) {
      buffer[little ? at + step : at + size - 1 - step] = left % 256;
      left = Math.floor(left / 256);
    }
    return at + size;
  }

  const VIEWS = [
    ['UInt8', 1, 'Uint8'], ['Int8', 1, 'Int8'], ['UInt16', 2, 'Uint16'], ['Int16', 2, 'Int16'], ['UInt32', 4, 'Uint32'],
    ['Int32', 4, 'Int32'], ['Float', 4, 'Float32'], ['Double', 8, 'Float64'], ['BigInt64', 8, 'BigInt64'],
    ['BigUInt64', 8, 'BigUint64'],
  ];
  for (const [name, size, kind] of VIEWS) {
    for (const [order, little] of size === 1 ? [['', false]] : [['LE', true], ['BE', false]]) {
      const get = 'get' + kind;
      const set = 'set' + kind;
      const read = function (at = 0) {
        check(this, at, size);
        return new DataView(this.buffer, this.byteOffset)[get](at, little);
      };
      const write = function (value, at = 0) {
        check(this, at, size);
        new DataView(this.buffer, this.byteOffset)[set](at, value, little);
        return at + size;
      };
      for (const spelled of [name, name.replace('UInt', 'Uint')]) {
        defineProperty(Buffer.prototype, 'read' + spelled + order, { value: read });
        defineProperty(Buffer.prototype, 'write' + spelled + order, { value: write });
      }
    }
  }
  global.Buffer = Buffer;
  global.atob = (text) => Buffer.from(String(text), 'base64').toString('latin1');
  global.btoa = (text) => Buffer.from(String(text), 'latin1').toString('base64');

  function bytesOf(hex) {
    const bytes = [];
    for (let at = 0; at < hex.length; at += 2) bytes.push((HEX.indexOf(hex[at]) << 4) | HEX.indexOf(hex[at + 1]));
    return bytes;
  }

  function told(found) {
    const text = stringify({ found: found === undefined ? null : found }, (key, value) => {
      if (typeof value === 'bigint') return value.toString();
      if (typeof value === 'number' && !(value - value === 0)) throw new RangeError(key + ' is ' + value + ', which is no number');
      return value;
    });
    return text;
  }

  return (get) => {
    const named = (name) => {
      const found = get('typeof ' + name) === 'function' ? get(name) : global.module.exports[name] || global.exports[name];
      return typeof found === 'function' ? found : undefined;
    };
    const entries = create(null);
    for (const name of ['decodeUplink', 'encodeDownlink', 'decodeDownlink', 'Decode', 'Decoder', 'Encode', 'Encoder']) {
      entries[name] = named(name);
    }
    if (!entries.decodeUplink && !entries.Decode && !entries.Decoder) {
      throw new TypeError('a codec has decodeUplink(input), Decode(fPort, bytes) or Decoder(bytes, port)');
    }
    const uplink = (port, bytes) => {
      if (entries.decodeUplink) return entries.decodeUplink({ bytes, fPort: port, recvTime: new FrozenDate(), variables: {} });
      return { data: entries.Decode ? entries.Decode(port, bytes, {}) : entries.Decoder(bytes, port) };
    };
    const encoded = (data, port) => {
      if (entries.encodeDownlink) return entries.encodeDownlink({ data, fPort: port, variables: {} });
      if (entries.Encode) return { bytes: entries.Encode(port, data, {}), fPort: port };
      if (entries.Encoder) return { bytes: entries.Encoder(data, port), fPort: port };
      throw new TypeError('this codec writes nothing');
    };
    return (name, argument, moment) => {
      now = moment;
      if (name === 'uplink') {
        const at = argument.indexOf(' ');
        return told(uplink(+argument.slice(0, at), bytesOf(argument.slice(at + 1))));
      }
      const given = parse(argument);
      if (name === 'encode') return told(encoded(given.data, given.fPort));
      if (!entries.decodeDownlink) throw new TypeError('this codec reads no downlinks');
      return told(entries.decodeDownlink({ bytes: bytesOf(given.hex), fPort: given.fPort, variables: {} }));
    };
  };
})()
