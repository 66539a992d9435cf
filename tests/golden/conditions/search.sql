-- search("Timeout in step_2")
((hasAllTokens(inputs, {p1:Array(String)}) OR hasAllTokens(outputs, {p1:Array(String)}) OR positionCaseInsensitiveUTF8(name, {p0:String}) > 0 OR ifNull(positionCaseInsensitiveUTF8(error, {p0:String}) > 0, 0)) AND (hasAllTokens(inputs, {p3:Array(String)}) OR hasAllTokens(outputs, {p3:Array(String)}) OR positionCaseInsensitiveUTF8(name, {p2:String}) > 0 OR ifNull(positionCaseInsensitiveUTF8(error, {p2:String}) > 0, 0)) AND (hasAllTokens(inputs, {p5:Array(String)}) OR hasAllTokens(outputs, {p5:Array(String)}) OR positionCaseInsensitiveUTF8(name, {p4:String}) > 0 OR ifNull(positionCaseInsensitiveUTF8(error, {p4:String}) > 0, 0)))
-- p0 = Timeout
-- p1 = ['timeout']
-- p2 = in
-- p3 = ['in']
-- p4 = step_2
-- p5 = ['step','2']
