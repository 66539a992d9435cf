-- of a tree
JSONLength(inputs) > 0
