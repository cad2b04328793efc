library(testthat)
library(habitus)

test_check("habitus")
