// One timeline for a player across connections: after a reconnect, or a jump in the
// stream, time goes on where it was. Audio and video move together.

import { AUDIO, VIDEO, type Tag } from '../decrypt/flv-tag.js';

/** A step of more than this, in milliseconds, is a jump and no pause. */
const JUMP = 3000;
/** What a jump becomes: about one frame. */
const STEP = 40;

export class Timeline {
  /** The latest media tag's time as it came, and as it went out. */
  private came: number | null = null;
  private went = 0;
  private readonly latest = { [AUDIO]: -1, [VIDEO]: -1 };
  private fresh = true;

  /** Whether anything has gone out. */
  get hasBegun(): boolean {
    return this.came !== null;
  }

  /** The next tag comes from another connection. */
  reconnected(): void {
    this.fresh = true;
  }

  /** The tag with its time on this timeline. `media`: it is a coded frame, no header and no script. */
  place(tag: Tag, media: boolean): Tag {
    if (tag.kind !== AUDIO && tag.kind !== VIDEO) return this.hasBegun ? { ...tag, timestamp: this.went } : tag;
    // Headers say nothing about time: they take that of what is before them.
    if (!media) return this.hasBegun ? { ...tag, timestamp: Math.max(this.went, this.latest[tag.kind]) } : tag;
    const time = this.next(tag.timestamp);
    // Decoding times of a track never fall.
    const timestamp = Math.max(time, this.latest[tag.kind] + (tag.kind === VIDEO ? 1 : 0));
    this.latest[tag.kind] = timestamp;
    return { ...tag, timestamp };
  }

  private next(came: number): number {
    if (this.came === null) {
      this.fresh = false;
      this.came = came;
      this.went = came;
      return came;
    }
    // FLV times wrap at 2^32: the signed difference does not.
    const step = (came - this.came) | 0;
    if (this.fresh || Math.abs(step) > JUMP) {
      this.fresh = false;
      this.came = came;
      this.went = Math.max(this.went, this.latest[AUDIO], this.latest[VIDEO]) + STEP;
      return this.went;
    }
    const time = this.went + step;
    if (step > 0) {
      this.came = came;
      this.went = time;
    }
    return time;
  }
}
