-- What each node did in each minute, for each tenant that had work there and, under `*`, for all (server/minutes.ts). A node that begins anew
-- has another name here, so rows are written once.
create table figure (
  tenant text collate "C" not null,
  -- Business time at which the minute begins.
  minute bigint not null,
  node text collate "C" not null,
  figures text not null,
  primary key (tenant, minute, node)
);
create index figure_age on figure (minute);
