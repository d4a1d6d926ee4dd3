/** Shares the turns of the event loop between downloads and everything else. */

/**
 * Pieces of bodies that are sent on in one turn. Each has some 64 KB, which take 100 to 500 us with TLS: few enough
 * that whoever else has to be served waits a few milliseconds, and so many that the turns themselves cost little.
 */
const PER_TURN = 4;

/** One that has something to be sent on. */
interface Download {
  goOn(): void;
}

/**
 * Lets downloads go on: at once as long as there are few. Else each would send a piece in every turn for which its
 * client has room, and hundreds of clients with large buffers would make one turn last for a second.
 */
export class DownloadTurns {
  #waiting: Download[] = [];
  #gone = 0;
  #isScheduled = false;

  /** @returns whether it may go on now; when not, its `goOn` is called in one of the next turns */
  admits(download: Download): boolean {
    this.#schedule();
    if (this.#gone < PER_TURN) {
      this.#gone += 1;
      return true;
    }
    this.#waiting.push(download);
    return false;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const next = this.#waiting.splice(0, PER_TURN);
      this.#gone = next.length;
      if (this.#waiting.length > 0) this.#schedule();
      for (const download of next) download.goOn();
    });
  }
}
