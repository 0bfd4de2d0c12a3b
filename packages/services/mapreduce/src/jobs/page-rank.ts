import { json } from "../job/codec.ts";
import { defineJob, type Job } from "../job/job.ts";

export interface PageRankOptions {
  /** Default 10. */
  readonly rounds?: number | undefined;
  /** Default 0.85. */
  readonly damping?: number | undefined;
}

/** What a page is sent: its own links, or a share of the rank of one that links to it. */
interface Share {
  readonly rank: number;
  readonly links?: readonly string[] | undefined;
}

/**
 * The rank of each page of a graph, in rounds of which each reads what the one before wrote: lines of a page, its rank, and
 * the pages it links to, with tabs between. In the first round the rank may be left out ("" or 1). Ranks add up to the
 * number of pages where every page links to some; a page without links keeps its rank to itself.
 */
export default function pageRank({ rounds = 10, damping = 0.85 }: PageRankOptions = {}): Job<string, string, Share> {
  return defineJob({
    name: "page-rank",
    value: json<Share>(),
    map: (line: string, emit) => {
      const [page = "", given = "", ...links] = line.split("\t");
      const rank = given === "" ? 1 : Number(given);
      emit(page, { rank: links.length === 0 ? rank : 0, links });
      for (const link of links) emit(link, { rank: rank / links.length });
    },
    reduce: (page: string, shares, emit) => {
      let sum = 0;
      let links: readonly string[] = [];
      for (const share of shares) {
        sum += share.rank;
        links = share.links ?? links;
      }
      emit([page, 1 - damping + damping * sum, ...links]);
    },
    next: ({ round }) => (round < rounds ? { rounds, damping } : undefined),
  });
}
