-- eq(is_root, true)
is_root = 1
