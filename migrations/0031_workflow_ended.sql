-- No transaction: steps go on meanwhile.

-- Nothing has asked for it since workflows may have a retention of their own (0027), and each that ended paid for it. A node of the release before
-- that runs beside this one walks through the table when it tidies up.
drop index concurrently if exists workflow_ended;
