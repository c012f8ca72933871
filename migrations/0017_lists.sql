-- Workflows by when they ended, and errors by their class, the newest first. A workflow is in the first once, when it ends.
create index if not exists workflow_ended_newest on workflow (tenant, ended_at desc, id) where ended_at is not null;
create index if not exists error_class on error (tenant, class, at desc);
