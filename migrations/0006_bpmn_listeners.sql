-- Messages and signals of BPMN are listened for as events of workflows are.
alter table listener drop constraint listener_event_known;
alter table listener
  add constraint listener_event_known
  check (event in ('dispatched', 'received', 'entered_tag', 'left_tag', 'error', 'message', 'signal'));
