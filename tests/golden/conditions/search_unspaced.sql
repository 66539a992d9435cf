-- search("図書館")
(positionCaseInsensitiveUTF8(inputs, {p0:String}) > 0 OR positionCaseInsensitiveUTF8(outputs, {p0:String}) > 0 OR positionCaseInsensitiveUTF8(name, {p0:String}) > 0 OR ifNull(positionCaseInsensitiveUTF8(error, {p0:String}) > 0, 0))
-- p0 = 図書館
