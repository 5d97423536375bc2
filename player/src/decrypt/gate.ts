// Keeps from a decoder what it could not show: tags that could not be read, and
// pictures that need one of those.

import { VIDEO, type Tag } from './flv-tag.js';
import { isKeyFrame } from './shape.js';
import type { Decrypted, Verdict } from './tag-decryptor.js';

/** Whether coded frames that were never encrypted pass. */
export type ClearTags = 'allow' | 'refuse';

/**
 * After a tag whose key is not there or wrong, all coded frames are dropped until a
 * readable key frame comes (in a stream without pictures: a readable tag). After a
 * damaged picture, pictures are dropped until a key frame, and sound goes on.
 * Sequence headers and script tags always pass.
 */
export class Gate {
  private shut: 'locked' | 'torn' | null = null;
  private picturesSeen = false;

  constructor(private readonly clear: ClearTags = 'allow') {}

  /** Whether it waits for a key and a key frame. */
  get isLocked(): boolean {
    return this.shut === 'locked';
  }

  /** Pictures are missing here, as after a reconnect: drops them until a key frame. */
  tear(): void {
    this.shut ??= 'torn';
  }

  /** Whether a tag passes. */
  admits({ tag, verdict }: Decrypted): boolean {
    if (tag.kind === VIDEO) this.picturesSeen = true;
    if (verdict.is === 'exempt') return true;
    if (isLocking(verdict)) {
      this.shut = 'locked';
      return false;
    }
    const refused = this.clear === 'refuse' && (verdict.is === 'clear' || verdict.is === 'literal');
    if (refused || verdict.is === 'damaged') {
      if (tag.kind === VIDEO) this.tear();
      return false;
    }
    if (this.opens(tag)) this.shut = null;
    return this.shut === null || (this.shut === 'torn' && tag.kind !== VIDEO);
  }

  private opens(tag: Tag): boolean {
    return tag.kind === VIDEO ? isKeyFrame(tag) : !this.picturesSeen;
  }
}

/** Whether a verdict says that a key is lacking. */
export function isLocking(verdict: Verdict): verdict is Extract<Verdict, { is: 'unknown-key' | 'wrong-key' | 'unsupported' }> {
  return verdict.is === 'unknown-key' || verdict.is === 'wrong-key' || verdict.is === 'unsupported';
}
