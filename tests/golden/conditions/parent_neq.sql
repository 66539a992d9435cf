-- neq(parent_run_id, "018f3c5e-0000-7000-8000-000000000001")
NOT (ifNull(parent_run_id = {p0:UUID}, 0))
-- p0 = 018f3c5e-0000-7000-8000-000000000001
